// The one list of the members of AttentionShape and Cluster, from which the text, JSON and HDF5
// forms of a problem follow.
//
//   visit_fields(shape, [&](const char* name, const auto& value) { json[name] = ...; });
#pragma once

#include <string_view>

#include "harness/plan/problem.h"

namespace cpbench {

// Whether files of before schema 1.6.0 lack this field, which then has its default.
inline bool may_be_missing(std::string_view field) {
  return field == "attention_sinks" || field == "latent_size" || field == "latent_rope_size";
}

// `Shape` is AttentionShape, const or not const.
template <typename Shape, typename Visit>
  requires requires(Shape& shape) { shape.kv_heads; }
void visit_fields(Shape& shape, Visit visit) {
  visit("query_heads", shape.query_heads);
  visit("kv_heads", shape.kv_heads);
  visit("head_dim", shape.head_dim);
  visit("value_head_dim", shape.value_head_dim);
  visit("dtype", shape.dtype);
  visit("hidden_size", shape.hidden_size);
  visit("ffn_size", shape.ffn_size);
  visit("attention_sinks", shape.attention_sinks);
  visit("latent_size", shape.latent_size);
  visit("latent_rope_size", shape.latent_rope_size);
}

// `C` is Cluster, const or not const. The name of the cluster has a different key in each form, so
// it is not visited.
template <typename C, typename Visit>
  requires requires(C& cluster) { cluster.gpus_per_node; }
void visit_fields(C& cluster, Visit visit) {
  visit("nodes", cluster.nodes);
  visit("gpus_per_node", cluster.gpus_per_node);
  visit("peak_flops_per_second", cluster.peak_flops_per_second);
  visit("memory_bytes", cluster.memory_bytes);
  visit("memory_bytes_per_second", cluster.memory_bytes_per_second);
  visit("intra_node_bytes_per_second", cluster.intra_node_bytes_per_second);
  visit("inter_node_bytes_per_second", cluster.inter_node_bytes_per_second);
}

}  // namespace cpbench
