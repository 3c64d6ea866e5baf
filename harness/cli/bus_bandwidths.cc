#include "harness/cli/bus_bandwidths.h"

#include <fmt/format.h>

#include "harness/cli/human.h"
#include "harness/machines/clusters.h"
#include "harness/simulate/bus_bandwidth.h"

namespace cpbench {
namespace {

struct NamedTest {
  const char* name;
  BusTest test;
};
constexpr NamedTest kCollectives[] = {{"all_gather", BusTest::all_gather},
                                      {"reduce_scatter", BusTest::reduce_scatter},
                                      {"all_to_all", BusTest::all_to_all}};
constexpr int32_t kRanks[] = {8, 64, 256};
constexpr int64_t kShortest = 1 << 20, kLongest = int64_t{1} << 32, kFactor = 4;

std::string size_text(int64_t bytes) {
  return bytes < 1 << 30 ? fmt::format("{}M", bytes >> 20) : fmt::format("{}G", bytes >> 30);
}

// On as few nodes as have room for the ranks and divide them.
int32_t nodes_of(const ClusterModel& preset, int32_t ranks) {
  int32_t nodes = (ranks - 1) / preset.cluster.gpus_per_node + 1;
  while (ranks % nodes != 0) ++nodes;
  return nodes;
}

void add_row(Table& table, const NamedTest& named, const ClusterModel& machine) {
  const auto giga = [](double bandwidth) { return fmt::format("{:.3g}", bandwidth / 1e9); };
  std::vector<std::string> row = {named.name, std::to_string(machine.cluster.ranks()),
                                  std::to_string(machine.cluster.nodes)};
  for (int64_t bytes = kShortest; bytes <= kLongest; bytes *= kFactor) {
    row.push_back(giga(bus_bandwidth(machine, named.test, bytes)));
  }
  row.push_back(giga(bus_bandwidth_limit(machine, named.test)));
  table.rows.push_back(row);
}

std::string network_error(const ClusterModel& machine) {
  std::string text = "Error of the times within a node: ";
  text += machine.mean_error < 0 ? "not measured"
                                 : fmt::format("mean {}, worst {}", percent(machine.mean_error),
                                               percent(machine.worst_error));
  if (machine.inter_node.bytes_per_second > 0) text += "; between nodes: not measured";
  return text + ".";
}

}  // namespace

std::string bus_bandwidths(const std::string& cluster, Format format, const View& view) {
  const ClusterModel preset = find_cluster(cluster);
  Table table{{{"test"}, {"GPUs", true, 9}, {"nodes", true, 6}}, {}};
  for (int64_t bytes = kShortest; bytes <= kLongest; bytes *= kFactor) {
    table.columns.push_back({size_text(bytes), true});
  }
  table.columns.push_back({"limit", true, 8});
  const bool one_node = preset.inter_node.bytes_per_second == 0;
  if (preset.cluster.gpus_per_node > 1) {
    add_row(table, {"sendrecv", BusTest::send_receive}, cluster_with_ranks(preset, 2, 1));
  }
  if (!one_node) {
    add_row(table, {"sendrecv", BusTest::send_receive}, cluster_with_ranks(preset, 2, 2));
  }
  for (const NamedTest& named : kCollectives) {
    for (const int32_t ranks : kRanks) {
      const int32_t nodes = nodes_of(preset, ranks);
      if (nodes > 1 && one_node) continue;
      add_row(table, named, cluster_with_ranks(preset, ranks, nodes));
    }
  }
  std::string text = render(table, format, view);
  if (format == Format::csv || format == Format::json) return text;
  return prose(
             "Simulated bus bandwidth on " + preset.name +
                 ", in GB/s, by the definition of nccl-tests, for buffers of so many MiB and GiB. "
                 "limit: what its nominal links allow.",
             format, view.width) +
         text + "\n" +
         prose(network_error(preset) +
                   " nccl-tests measures the same with all_gather_perf, reduce_scatter_perf, "
                   "alltoall_perf and sendrecv_perf and the flags -b 1M -e 4G -f 4.",
               format, view.width);
}

}  // namespace cpbench
