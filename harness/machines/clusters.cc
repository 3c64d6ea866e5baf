#include "harness/machines/clusters.h"

#include <algorithm>

#include "harness/plan/errors.h"
#include "harness/presets/toml_file.h"

namespace cpbench {
namespace {

constexpr double kGiga = 1e9, kTera = 1e12, kMicro = 1e-6;
constexpr NumberRange kPositive = {.low = 0, .above_low = true};
constexpr NumberRange kShare = {.low = 0, .above_low = true, .high = 1};
constexpr NumberRange kCount = {.low = 1};
// In GB/s, GB or TFLOP/s. A larger value is probably in bytes or FLOP/s.
constexpr NumberRange kRate = {.low = 0, .above_low = true, .high = 1e6};
constexpr NumberRange kMicroseconds = {.low = 0, .high = 1e6};

// A key that is left out is completed from others by `complete`, or has the default of
// ClusterModel.
const std::vector<TomlKey<ClusterModel>>& cluster_keys() {
  using M = ClusterModel;
  static const std::vector<TomlKey<M>> keys = {
      {"description", [](M& m) -> std::string& { return m.description; }},
      {"source", [](M& m) -> std::string& { return m.source; }},
      {"gpus_per_node", [](M& m) -> int32_t& { return m.cluster.gpus_per_node; }, true, kCount},
      {"sms", [](M& m) -> int32_t& { return m.sms; }, true, kCount},
      {"kernel", [](M& m) -> std::string& { return m.kernel; }, true},
      {"peak_teraflops_per_second", [](M& m) -> double& { return m.cluster.peak_flops_per_second; },
       true, kRate, kTera},
      {"memory_gigabytes", [](M& m) -> double& { return m.cluster.memory_bytes; }, true, kRate,
       kGiga},
      {"memory_gigabytes_per_second",
       [](M& m) -> double& { return m.cluster.memory_bytes_per_second; }, true, kRate, kGiga},
      {"achieved_memory_gigabytes_per_second",
       [](M& m) -> double& { return m.achieved_memory_bytes_per_second; }, false, kRate, kGiga},
      {"kernel_launch_microseconds", [](M& m) -> double& { return m.kernel_launch_seconds; }, false,
       kMicroseconds, kMicro},
      {"gemm_efficiency", [](M& m) -> double& { return m.gemm_efficiency; }, true, kShare},
      {"intra_node_gigabytes_per_second",
       [](M& m) -> double& { return m.cluster.intra_node_bytes_per_second; }, true, kRate, kGiga},
      {"achieved_intra_node_gigabytes_per_second",
       [](M& m) -> double& { return m.intra_node.bytes_per_second; }, false, kRate, kGiga},
      {"intra_node_latency_microseconds",
       [](M& m) -> double& { return m.intra_node.latency_seconds; }, true, kMicroseconds, kMicro},
      {"intra_node_pair_gigabytes_per_second",
       [](M& m) -> double& { return m.pair_bytes_per_second; }, false, kRate, kGiga},
      {"inter_node_gigabytes_per_second",
       [](M& m) -> double& { return m.cluster.inter_node_bytes_per_second; }, false, kRate, kGiga},
      {"achieved_inter_node_gigabytes_per_second",
       [](M& m) -> double& { return m.inter_node.bytes_per_second; }, false, kRate, kGiga},
      {"inter_node_latency_microseconds",
       [](M& m) -> double& { return m.inter_node.latency_seconds; }, false, kMicroseconds, kMicro},
      {"inter_node_all_to_all_efficiency",
       [](M& m) -> double& { return m.inter_node_all_to_all_efficiency; }, false, kShare},
      {"node_uplink_gigabytes_per_second",
       [](M& m) -> double& { return m.node_uplink_bytes_per_second; }, false, kRate, kGiga},
      {"pooled_nics", [](M& m) -> bool& { return m.pooled_nics; }},
      {"network_mean_error", [](M& m) -> double& { return m.mean_error; }},
      {"network_worst_error", [](M& m) -> double& { return m.worst_error; }},
  };
  return keys;
}

const std::vector<TomlKey<CollectiveFit>>& collective_keys() {
  using C = CollectiveFit;
  static const std::vector<TomlKey<C>> keys = {
      {"ranks", [](C& c) -> int32_t& { return c.ranks; }, true, {.low = 2}},
      {"latency_microseconds", [](C& c) -> double& { return c.latency_seconds; }, true,
       kMicroseconds, kMicro},
      {"gigabytes_per_second", [](C& c) -> double& { return c.bytes_per_second; }, true, kRate,
       kGiga},
  };
  return keys;
}

struct Collective {
  const char* name;
  std::vector<CollectiveFit> ClusterModel::*fits;
};
constexpr Collective kCollectives[] = {{"all_gather", &ClusterModel::all_gather},
                                       {"reduce_scatter", &ClusterModel::reduce_scatter}};

std::vector<CollectiveFit> read_fits(const toml::table& table, const std::string& place,
                                     const char* name) {
  std::vector<CollectiveFit> fits;
  const toml::node* node = table.get(name);
  if (!node) return fits;
  if (!node->is_array_of_tables()) {
    throw UserError(fmt::format("{}:{}: '{}' must be [[{}]] tables", place,
                                node->source().begin.line, name, name));
  }
  for (const toml::node& item : *node->as_array()) {
    const toml::table& row = *item.as_table();
    const std::string here = fmt::format("{}:{}", place, row.source().begin.line);
    refuse_unknown_keys(row, place, names_of(collective_keys()));
    for (const TomlKey<CollectiveFit>& key : collective_keys()) {
      if (!row.contains(key.name)) {
        throw UserError(fmt::format("{}: [[{}]]: '{}' is missing", here, name, key.name));
      }
    }
    CollectiveFit fit;
    read_keys(row, place, collective_keys(), fit);
    if (!fits.empty() && fit.ranks <= fits.back().ranks) {
      throw UserError(fmt::format("{}: [[{}]] with ranks = {} comes after ranks = {}; must ascend",
                                  here, name, fit.ranks, fits.back().ranks));
    }
    fits.push_back(fit);
  }
  return fits;
}

[[noreturn]] void refuse_pair(const toml::table& table, const std::string& place, const char* key,
                              const std::string& why) {
  throw UserError(
      fmt::format("{}:{}: '{}' {}", place, table.get(key)->source().begin.line, key, why));
}

// An achieved bandwidth that is left out is the nominal one. It cannot be higher than that.
void complete_bandwidth(const toml::table& table, const std::string& place, const std::string& key,
                        double nominal, double& achieved) {
  if (achieved == 0) achieved = nominal;
  if (achieved <= nominal) return;
  const std::string name = "achieved_" + key;
  refuse_pair(table, place, name.c_str(),
              fmt::format("is more than '{}', the nominal rate of {:g}", key, nominal / kGiga));
}

void complete(const toml::table& table, const std::string& place, ClusterModel& m) {
  complete_bandwidth(table, place, "memory_gigabytes_per_second", m.cluster.memory_bytes_per_second,
                     m.achieved_memory_bytes_per_second);
  complete_bandwidth(table, place, "intra_node_gigabytes_per_second",
                     m.cluster.intra_node_bytes_per_second, m.intra_node.bytes_per_second);
  constexpr const char* kLink = "inter_node_gigabytes_per_second";
  for (const char* key :
       {"achieved_inter_node_gigabytes_per_second", "inter_node_latency_microseconds",
        "inter_node_all_to_all_efficiency", "node_uplink_gigabytes_per_second", "pooled_nics"}) {
    if (table.contains(key) && !table.contains(kLink)) {
      refuse_pair(table, place, key, fmt::format("requires '{}'", kLink));
    }
  }
  if (table.contains(kLink) && !table.contains("inter_node_latency_microseconds")) {
    throw_missing(place, "inter_node_latency_microseconds");
  }
  complete_bandwidth(table, place, kLink, m.cluster.inter_node_bytes_per_second,
                     m.inter_node.bytes_per_second);
}

}  // namespace

ClusterModel parse_cluster(const Preset& preset) {
  const std::string& place = preset.place;
  const toml::table table = parse_toml(place, preset.text);
  std::vector<std::string> known = names_of(cluster_keys());
  for (const Collective& collective : kCollectives) known.push_back(collective.name);
  refuse_unknown_keys(table, place, known);
  ClusterModel machine;
  machine.name = preset.name;
  read_keys(table, place, cluster_keys(), machine);
  complete(table, place, machine);
  for (const Collective& collective : kCollectives) {
    machine.*collective.fits = read_fits(table, place, collective.name);
  }
  machine.cluster.name = preset.name;
  machine.cluster.nodes = 1;
  return machine;
}

std::string cluster_toml(const ClusterModel& preset) {
  std::string text = toml_text(cluster_keys(), preset, ClusterModel());
  for (const Collective& collective : kCollectives) {
    for (const CollectiveFit& fit : preset.*collective.fits) {
      text += fmt::format("\n[[{}]]\n", collective.name) +
              toml_text(collective_keys(), fit, CollectiveFit());
    }
  }
  return text;
}

ClusterModel find_cluster(const std::string& name) {
  return parse_cluster(find_preset(PresetKind::clusters, name));
}

std::vector<ClusterModel> list_clusters() {
  return parsed_presets(PresetKind::clusters, parse_cluster);
}

ClusterModel cluster_with_ranks(const ClusterModel& preset, int32_t ranks, int32_t nodes) {
  const int32_t per_node = preset.cluster.gpus_per_node;
  if (nodes == 0) {
    nodes = ranks <= per_node ? 1 : ranks / per_node;
    if (ranks > per_node && ranks % per_node != 0) {
      throw UserError(
          fmt::format("cluster '{}' has {} GPUs per node, and {} ranks do not fill nodes of that "
                      "size; ranks must "
                      "be a multiple of {} or at most {}, unless nodes is given",
                      preset.name, per_node, ranks, per_node, per_node));
    }
  }
  if (ranks % nodes != 0) {
    throw UserError(fmt::format("{} nodes do not divide {} ranks", nodes, ranks));
  }
  if (ranks / nodes > per_node) {
    throw UserError(
        fmt::format("{} ranks on {} nodes are {} per node, but cluster '{}' has {} GPUs "
                    "per node",
                    ranks, nodes, ranks / nodes, preset.name, per_node));
  }
  if (nodes > 1 && preset.inter_node.bytes_per_second == 0) {
    throw UserError(fmt::format(
        "cluster '{}' has only one node; {} nodes require 'inter_node_gigabytes_per_second'",
        preset.name, nodes));
  }
  ClusterModel machine = preset;
  machine.cluster.nodes = nodes;
  machine.cluster.gpus_per_node = ranks / nodes;
  return machine;
}

}  // namespace cpbench
