#include "harness/measure/attribution.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>
#include <vector>

#include "harness/measure/flops.h"
#include "harness/plan/plan_bytes.h"

namespace cpbench {
namespace {

constexpr double kRounding = 1e-12;  // relative rounding error of sums of many events

using Interval = std::pair<double, double>;  // seconds

// Sorted and disjoint.
std::vector<Interval> merged(std::vector<Interval> intervals) {
  std::sort(intervals.begin(), intervals.end());
  std::vector<Interval> result;
  for (const Interval& next : intervals) {
    if (!result.empty() && next.first <= result.back().second) {
      result.back().second = std::max(result.back().second, next.second);
    } else {
      result.push_back(next);
    }
  }
  return result;
}

double overlap(const Interval& one, const std::vector<Interval>& disjoint) {
  const auto ends_before = [](const Interval& a, double start) { return a.second <= start; };
  auto at = std::lower_bound(disjoint.begin(), disjoint.end(), one.first, ends_before);
  double seconds = 0;
  for (; at != disjoint.end() && at->first < one.second; ++at) {
    seconds += std::min(at->second, one.second) - std::max(at->first, one.first);
  }
  return seconds;
}

int32_t rank_that_ends_last(const Timeline& timeline) {
  const Event* last = nullptr;
  for (const Event& event : timeline.events) {
    if (event.activity == Activity::transfer) continue;
    if (!last || event.end_seconds > last->end_seconds ||
        (event.end_seconds == last->end_seconds && event.rank < last->rank)) {
      last = &event;
    }
  }
  return last ? last->rank : -1;
}

// The share of padding in the bytes that a rank receives.
double padding_share(const Plan& plan, int32_t rank, const AttentionShape& shape) {
  const Range self{rank, rank + 1};
  double useful = 0, all = 0;
  for (const Pass* pass : {&plan.forward, &plan.backward}) {
    for (const Send& send : pass->sends) {
      const RangeSpan from = plan.rank_sets[send.from];
      if (!contains(plan.rank_sets[send.to], self)) continue;
      const auto senders = static_cast<double>(size_of(from) - (contains(from, self) ? 1 : 0));
      all += senders * static_cast<double>(cost_of(send, *pass, plan, shape).bytes_per_pair);
      useful += senders * static_cast<double>(plan.token_sets.size_of(send.tokens) *
                                              wire_bytes_per_token(send.tensor, send.heads, shape,
                                                                   plan.gradient_wire));
    }
  }
  return all > 0 ? 1 - useful / all : 0;
}

void add_pack(const Result& result, const PackResult& pack, TimeParts& parts) {
  const int32_t rank = rank_that_ends_last(pack.timeline);
  std::vector<Interval> transfers, waits;
  double attention = 0, sends = 0, copies = 0, layer = 0, end = 0;
  bool traced_transfers = false;
  for (const Event& e : pack.timeline.events) {
    traced_transfers = traced_transfers || e.activity == Activity::transfer;
    if (e.rank != rank) continue;
    const double seconds = e.end_seconds - e.start_seconds;
    if (e.activity != Activity::transfer) end = std::max(end, e.end_seconds);
    switch (e.activity) {
      case Activity::attention:
        attention += seconds;
        break;
      case Activity::merge:
      case Activity::copy:
        copies += seconds;
        break;
      case Activity::send:
        sends += seconds;
        break;
      case Activity::wait:
        waits.push_back({e.start_seconds, e.end_seconds});
        break;
      case Activity::layer:
        layer += seconds;
        break;
      case Activity::transfer:
        transfers.push_back({e.start_seconds, e.end_seconds});
        break;
    }
  }
  transfers = merged(std::move(transfers));
  double waited = 0, in_flight = 0;
  for (const Interval& wait : waits) {
    waited += wait.second - wait.first;
    in_flight += traced_transfers ? overlap(wait, transfers) : wait.second - wait.first;
  }
  const std::vector<int64_t>& pairs = pack.summary.pairs_per_rank;
  const double per_pair =
      flops_per_pair(result.spec.shape, result.spec.passes) / result.peak_flops_per_second;
  const double mean = per_pair *
                      static_cast<double>(std::accumulate(pairs.begin(), pairs.end(), int64_t{0})) /
                      static_cast<double>(pairs.size());
  const double own = per_pair * static_cast<double>(pairs[rank]);
  const double exposed = in_flight + sends;
  const double padding = exposed * padding_share(pack.plan, rank, result.spec.shape);
  parts.total += end;
  parts.ideal += mean;
  parts.kernel_inefficiency += attention - own;
  parts.imbalance += own - mean + waited - in_flight;
  parts.exposed_communication += exposed - padding;
  parts.padding += padding;
  parts.copies += copies;
  parts.layer += layer;
  const double other = end - attention - copies - sends - waited - layer;
  parts.other += std::abs(other) > kRounding * end ? other : 0;
}

}  // namespace

std::optional<TimeParts> attribute_time(const Result& result) {
  if (result.packs.empty() || result.peak_flops_per_second <= 0) return std::nullopt;
  for (const PackResult& pack : result.packs) {
    const int32_t rank = rank_that_ends_last(pack.timeline);
    if (rank < 0 || static_cast<size_t>(rank) >= pack.summary.pairs_per_rank.size()) {
      return std::nullopt;
    }
  }
  TimeParts parts;
  for (const PackResult& pack : result.packs) add_pack(result, pack, parts);
  return parts;
}

}  // namespace cpbench
