// The fields of structs that files hold, by the names that they have there. Writing and reading
// follow from one list, in HDF5 and in JSON.
//
//   for_each_field(pass_summary, [&](const char* name, auto& value) { file.scalar(name, value); });
//
// A list of such structs is a table, whose columns are the fields: for_each_column.
#pragma once

#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

#include "harness/measure/result.h"
#include "harness/plan/plan.h"
#include "harness/timeline/timeline.h"

namespace cpbench {

template <typename Value>
struct Named {
  const char* name;
  Value& value;
};

inline auto fields(Attend& a) {
  return std::tuple{Named{"step", a.step},
                    Named{"rank", a.rank},
                    Named{"q", a.q},
                    Named{"kv", a.kv},
                    Named{"head_begin", a.heads.begin},
                    Named{"head_end", a.heads.end}};
}
inline auto fields(Send& s) {
  return std::tuple{Named{"step", s.step},
                    Named{"substage", s.substage},
                    Named{"from", s.from},
                    Named{"to", s.to},
                    Named{"tensor", s.tensor},
                    Named{"tokens", s.tokens},
                    Named{"head_begin", s.heads.begin},
                    Named{"head_end", s.heads.end},
                    Named{"collective", s.collective}};
}
inline auto fields(Collective& c) {
  return std::tuple{Named{"kind", c.kind}, Named{"padded_tokens", c.padded_tokens}};
}
inline auto fields(Keep& k) {
  return std::tuple{Named{"rank", k.rank}, Named{"tensor", k.tensor}, Named{"tokens", k.tokens},
                    Named{"head_begin", k.heads.begin}, Named{"head_end", k.heads.end}};
}
inline auto fields(DocumentRule& r) {
  return std::tuple{Named{"mask", r.mask}, Named{"window", r.window}};
}
inline auto fields(Event& e) {
  return std::tuple{Named{"rank", e.rank},
                    Named{"pass", e.pass},
                    Named{"step", e.step},
                    Named{"activity", e.activity},
                    Named{"start_seconds", e.start_seconds},
                    Named{"end_seconds", e.end_seconds}};
}
inline auto fields(PassSummary& p) {
  return std::tuple{Named{"steps", p.steps},
                    Named{"attends", p.attends},
                    Named{"sends", p.sends},
                    Named{"wire_bytes", p.wire_bytes},
                    Named{"inter_node_bytes", p.inter_node_bytes},
                    Named{"bytes_out", p.bytes_out},
                    Named{"bytes_in", p.bytes_in}};
}
inline auto fields(PlanSummary& s) {  // without those of its passes
  return std::tuple{Named{"useful_bytes", s.useful_bytes},
                    Named{"cells_per_rank", s.pairs_per_rank},
                    Named{"tokens_per_rank", s.tokens_per_rank}, Named{"peak_bytes", s.peak_bytes}};
}
inline auto fields(Accuracy& a) {
  return std::tuple{Named{"max_error_output", a.max_error_output},
                    Named{"max_error_gradient", a.max_error_gradient},
                    Named{"tolerance_output", a.tolerance_output},
                    Named{"tolerance_gradient", a.tolerance_gradient},
                    Named{"plain_error_output", a.plain_error_output},
                    Named{"plain_error_gradient", a.plain_error_gradient}};
}
inline auto fields(PortionTimes& t) {
  return std::tuple{
      Named{"work_seconds", t.work_seconds},        Named{"attention_seconds", t.attention_seconds},
      Named{"copy_seconds", t.copy_seconds},        Named{"layer_seconds", t.layer_seconds},
      Named{"host_seconds", t.host_seconds},        Named{"overhead_seconds", t.overhead_seconds},
      Named{"exchange_seconds", t.exchange_seconds}};
}
inline auto fields(PackResult& p) {  // its times
  return std::tuple{Named{"planning_seconds", p.planning_seconds},
                    Named{"check_seconds", p.check_seconds},
                    Named{"compile_seconds", p.compile_seconds}};
}

// `Struct` may be const; then the values must not be changed.
template <typename Struct, typename Use>
void for_each_field(Struct& value, Use use) {
  std::apply([&](auto... field) { (use(field.name, field.value), ...); },
             fields(const_cast<std::remove_const_t<Struct>&>(value)));
}

template <typename Row, size_t column>
auto& field_of(Row& row) {
  return std::get<column>(fields(const_cast<std::remove_const_t<Row>&>(row))).value;
}

// Calls use(index, name) for each field; the index is a constant, for field_of.
template <typename Row, typename Use>
void for_each_column(Use use) {
  Row any;
  const auto all = fields(any);
  [&]<size_t... i>(std::index_sequence<i...>) {
    (use(std::integral_constant<size_t, i>(), std::get<i>(all).name), ...);
  }(std::make_index_sequence<std::tuple_size_v<decltype(all)>>());
}

// Names say their unit: "s" for check_seconds, "1" for counts, indices and ratios.
inline std::string units_of(const std::string& name) {
  if (name.ends_with("flops_per_second")) return "FLOP/s";
  if (name.ends_with("bytes_per_second")) return "bytes/s";
  if (name.ends_with("seconds")) return "s";
  if (name.ends_with("_bytes") || name.starts_with("bytes_")) return "bytes";
  if (name.ends_with("_tokens") || name.starts_with("tokens_")) return "tokens";
  return "1";
}

}  // namespace cpbench
