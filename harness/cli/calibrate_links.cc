#include "harness/cli/calibrate_links.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "harness/cli/human.h"
#include "harness/execute/gpus/gpu.h"
#include "harness/machines/clusters.h"
#include "harness/machines/link_fit.h"
#include "harness/plan/errors.h"
#include "harness/run/machine_here.h"

namespace cpbench {
namespace {

constexpr double kTimeoutSeconds = 60;
constexpr int kSizes = 9;                         // each is twice the one before
constexpr int64_t kMostBytes = int64_t{1} << 30;  // of all blocks of a rank together
constexpr int64_t kMemoryShare = 8;               // and at most 1/8 of a GPU's memory
constexpr int64_t kBlockUnit = 512;

ClusterModel machine_with(const std::vector<Gpu>& gpus, const std::string& cluster) {
  if (!cluster.empty()) {
    ClusterModel machine = find_cluster(cluster);
    machine.cluster.gpus_per_node = static_cast<int32_t>(gpus.size());
    return machine;
  }
  std::vector<ListedGpu> listed;
  for (const Gpu& gpu : gpus) listed.push_back({gpu.name, static_cast<double>(gpu.memory_bytes)});
  const auto machine = machine_of_gpus(listed);
  if (machine) return *machine;
  throw UserError(
      fmt::format("no shipped cluster has these GPUs ({}); describe them in a file and give "
                  "--cluster FILE.toml "
                  "(cpbench doctor --cluster prints most of it)",
                  gpus.front().name));
}

// 2, 4, 8, ... and all GPUs.
std::vector<int32_t> rank_counts(int32_t gpus) {
  std::vector<int32_t> counts;
  for (int32_t ranks = 2; ranks < gpus; ranks *= 2) counts.push_back(ranks);
  counts.push_back(gpus);
  return counts;
}

std::vector<TimedExchange> exchanges_on(const std::vector<Gpu>& gpus) {
  const auto count = static_cast<int32_t>(gpus.size());
  const int64_t most = std::min(kMostBytes, gpus.front().memory_bytes / kMemoryShare);
  std::vector<TimedExchange> exchanges;
  const auto add = [&](LinkUse use, int32_t ranks, int64_t largest_block) {
    for (int i = kSizes - 1; i >= 0; --i) {
      const int64_t bytes = (largest_block >> i) / kBlockUnit * kBlockUnit;
      if (bytes > 0) exchanges.push_back({use, ranks, bytes});
    }
  };
  for (int32_t ranks : rank_counts(count)) {
    add(LinkUse::all_gather, ranks, most / ranks);
    add(LinkUse::reduce_scatter, ranks, most / ranks);
  }
  add(LinkUse::shift, count, most / count);
  return exchanges;
}

// Bytes that each rank receives.
double received(const TimedExchange& exchange) {
  const int32_t blocks = exchange.use == LinkUse::shift ? 1 : exchange.ranks - 1;
  return static_cast<double>(blocks * exchange.bytes);
}

const char* name_of(LinkUse use) {
  switch (use) {
    case LinkUse::shift:
      return "shift";
    case LinkUse::all_gather:
      return "all_gather";
    case LinkUse::reduce_scatter:
      return "reduce_scatter";
  }
  return "";
}

LinkFit fit_of(const TimedExchange& exchange, const std::vector<LinkSample>& samples) {
  try {
    return fit_link(samples);
  } catch (const UserError& error) {
    throw UserError(
        fmt::format("{} of {} ranks: {}", name_of(exchange.use), exchange.ranks, error.what()));
  }
}

}  // namespace

MeasuredLinks measure_links(const std::string& cluster) {
  Gpus& gpus = open_gpus();
  if (gpus.all().size() < 2) {
    throw UserError("calibrate nccl requires 2 GPUs or more, and this machine has 1");
  }
  MeasuredLinks links{machine_with(gpus.all(), cluster),
                      {{{"exchange"},
                        {"ranks", true},
                        {"sizes", true},
                        {"latency us", true},
                        {"GB/s", true},
                        {"mean error", true},
                        {"worst error", true}},
                       {}}};
  std::vector<TimedExchange> exchanges = exchanges_on(gpus.all());
  gpus.time_exchanges(exchanges, kTimeoutSeconds);

  ClusterModel& machine = links.machine;
  machine.all_gather.clear();
  machine.reduce_scatter.clear();
  machine.mean_error = machine.worst_error = 0;
  machine.source +=
      "; links on one node timed by cpbench calibrate nccl, NCCL " + gpus.versions().at("nccl");
  for (auto next = exchanges.begin(); next != exchanges.end();) {
    const TimedExchange first = *next;
    std::vector<LinkSample> samples;
    for (; next != exchanges.end() && next->use == first.use && next->ranks == first.ranks;
         ++next) {
      samples.push_back({received(*next), next->seconds});
    }
    const LinkFit fit = fit_of(first, samples);
    const CollectiveFit row{first.ranks, fit.link.latency_seconds, fit.link.bytes_per_second};
    if (first.use == LinkUse::shift) machine.intra_node = fit.link;
    if (first.use == LinkUse::all_gather) machine.all_gather.push_back(row);
    if (first.use == LinkUse::reduce_scatter) machine.reduce_scatter.push_back(row);
    machine.mean_error += fit.mean_error;
    machine.worst_error = std::max(machine.worst_error, fit.worst_error);
    links.fits.rows.push_back({name_of(first.use), std::to_string(first.ranks),
                               std::to_string(samples.size()),
                               fmt::format("{:.3g}", 1e6 * fit.link.latency_seconds),
                               fmt::format("{:.4g}", fit.link.bytes_per_second / 1e9),
                               percent(fit.mean_error), percent(fit.worst_error)});
  }
  machine.mean_error /= static_cast<double>(links.fits.rows.size());
  return links;
}

}  // namespace cpbench
