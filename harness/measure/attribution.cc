#include "harness/measure/attribution.h"

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

#include "harness/measure/flops.h"
#include "harness/measure/samples.h"
#include "harness/plan/plan_bytes.h"

namespace cpbench {
namespace {

// The share of padding in the bytes of all messages.
double padding_share(const Plan& plan, Passes passes, const AttentionShape& shape) {
  double useful = 0, all = 0;
  for (const Pass* pass : {&plan.forward, &plan.backward}) {
    if (pass == &plan.backward && passes == Passes::forward) continue;
    for (const Send& send : pass->sends) {
      const SendCost cost = cost_of(send, *pass, plan, shape);
      all += static_cast<double>(cost.total());
      useful += static_cast<double>(
          cost.pairs * plan.token_sets.size_of(send.tokens) *
          wire_bytes_per_token(send.tensor, send.heads, shape, plan.gradient_wire));
    }
  }
  return all > 0 ? 1 - useful / all : 0;
}

// The index of the median; of the lower one of two.
size_t index_of_median(const std::vector<double>& values) {
  std::vector<size_t> order(values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::sort(order, {}, [&](size_t i) { return std::pair(values[i], i); });
  return order[(order.size() - 1) / 2];
}

// Row `iteration` of a matrix [iterations, ranks].
double mean_over_ranks(const std::vector<double>& matrix, size_t iteration, int32_t ranks) {
  const auto first = matrix.begin() + static_cast<std::ptrdiff_t>(iteration) * ranks;
  return std::accumulate(first, first + ranks, 0.0) / ranks;
}

void add_pack(const Result& result, const PackResult& pack, TimeParts& parts) {
  const Timeline& timeline = pack.timeline;
  const int32_t ranks = timeline.ranks;
  const double total = median(accepted(slowest_rank(timeline.seconds, ranks), timeline.accepted));
  const std::vector<double> ends = slowest_rank(timeline.portions.work_seconds, ranks);
  const size_t iteration = index_of_median(ends);
  const double compute_only = std::min(total, ends[iteration]);
  const auto mean = [&](std::vector<double> PortionTimes::*times) {
    return mean_over_ranks(timeline.portions.*times, iteration, ranks);
  };
  double attention = mean(&PortionTimes::attention_seconds);
  double copies = mean(&PortionTimes::copy_seconds);
  double layer = mean(&PortionTimes::layer_seconds);
  double host = mean(&PortionTimes::host_seconds);
  double other = mean(&PortionTimes::overhead_seconds);
  const double busy = attention + copies + layer + host + other;
  if (busy > compute_only) {
    for (double* part : {&attention, &copies, &layer, &host, &other}) *part *= compute_only / busy;
  }
  const std::vector<int64_t>& pairs = pack.summary.pairs_per_rank;
  const auto all_pairs =
      static_cast<double>(std::accumulate(pairs.begin(), pairs.end(), int64_t{0}));
  const double ideal = flops_per_pair(result.spec.shape, result.spec.passes) * all_pairs / ranks /
                       result.peak_flops_per_second;
  const double exposed = total - compute_only;
  const double padding = exposed * padding_share(pack.plan, result.spec.passes, result.spec.shape);
  parts.total += pack.layers * total;
  parts.ideal += pack.layers * std::min(ideal, attention);
  parts.kernel_inefficiency += pack.layers * std::max(0.0, attention - ideal);
  parts.imbalance += pack.layers * std::max(0.0, compute_only - busy);
  parts.exposed_communication += pack.layers * (exposed - padding);
  parts.padding += pack.layers * padding;
  parts.copies += pack.layers * copies;
  parts.layer += pack.layers * layer;
  parts.host += pack.layers * host;
  parts.other += pack.layers * other;
  parts.compute_only += pack.layers * ends[iteration];
  parts.exchange_only +=
      pack.layers * median(slowest_rank(timeline.portions.exchange_seconds, ranks));
}

}  // namespace

std::optional<double> TimeParts::overlap() const {
  const double shorter = std::min(compute_only, exchange_only);
  if (shorter <= 0) return std::nullopt;
  return (compute_only + exchange_only - total) / shorter;
}

std::optional<TimeParts> attribute_time(const Result& result) {
  if (result.packs.empty() || result.peak_flops_per_second <= 0) return std::nullopt;
  TimeParts parts;
  for (const PackResult& pack : result.packs) {
    if (pack.timeline.portions.work_seconds.empty()) return std::nullopt;
    add_pack(result, pack, parts);
  }
  return parts;
}

}  // namespace cpbench
