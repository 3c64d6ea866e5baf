// ByteScale's hybrid data parallelism in its balanced form. Sequences are placed longest first,
// each on a number of ranks in proportion to its length, on those with the least to do so far.
// Short sequences stay whole on one rank.
#include <algorithm>
#include <set>
#include <string>

#include "harness/strategy/group_cost.h"
#include "harness/strategy/groups.h"
#include "harness/strategy/strategy.h"

namespace cpbench {
namespace bytescale {
namespace {

// The ranks, sorted by how long they are busy so far, least busy first.
class Queue {
 public:
  explicit Queue(int32_t ranks) : busy_(ranks, 0) {
    for (int32_t rank = 0; rank < ranks; ++rank) order_.emplace(0, rank);
  }
  std::vector<int32_t> least_busy(int64_t count) const {
    std::vector<int32_t> ranks;
    for (auto it = order_.begin(); count > 0; ++it, --count) ranks.push_back(it->second);
    std::sort(ranks.begin(), ranks.end());
    return ranks;
  }
  // The ranks start together, when the last of them is free. Returns when they finish.
  double run(const std::vector<int32_t>& ranks, double seconds) {
    double end = 0;
    for (int32_t rank : ranks) end = std::max(end, busy_[rank] + seconds);
    for (int32_t rank : ranks) {
      order_.erase({busy_[rank], rank});
      busy_[rank] = end;
      order_.emplace(end, rank);
    }
    return end;
  }

 private:
  std::vector<double> busy_;
  std::set<std::pair<double, int32_t>> order_;
};

RingSchedule schedule(const Problem& problem, const Options& options) {
  const GroupCost cost(problem);
  const int32_t ranks = problem.ranks();
  const int64_t per_rank = tokens_per_rank(options, problem);
  const Loads loads = loads_of(sequences_of(problem.batch), cost);

  RingSchedule out;
  Queue queue(ranks);
  struct Open {
    int32_t group = -1;
    int64_t tokens = 0;
  };
  std::vector<Open> open(ranks);  // each rank's group of short sequences that may still grow
  for (int32_t s : longest_first(loads)) {
    const int64_t tokens = loads[s].tokens;
    const int64_t degree = (tokens + per_rank - 1) / per_rank;
    if (degree > ranks) {
      throw Unsupported(
          "a sequence of " + std::to_string(tokens) + " tokens needs " + std::to_string(degree) +
          " ranks of " + std::to_string(per_rank) + " tokens, there are " + std::to_string(ranks) +
          "; raise tokens_per_rank to " + std::to_string((tokens + ranks - 1) / ranks));
    }
    const std::vector<int32_t> group = queue.least_busy(degree);
    out.seconds = std::max(
        out.seconds, queue.run(group, cost.ring_seconds(loads[s], static_cast<int32_t>(degree))));
    Open& last = open[group.front()];
    if (degree == 1 && last.group >= 0 && last.tokens + tokens <= per_rank) {
      out.groups[last.group].sequences.push_back(s);
      last.tokens += tokens;
      continue;
    }
    if (degree == 1) last = {static_cast<int32_t>(out.groups.size()), tokens};
    out.groups.push_back({group, {s}});
  }
  return out;
}

}  // namespace
}  // namespace bytescale

extern const Strategy strategy_bytescale = {
    .name = "bytescale",
    .title = "ByteScale (HDP-balanced)",
    .source = "ByteScale, arXiv 2502.21231",
    .moves =
        "K, V of sequences longer than tokens_per_rank travel round a ring of just enough ranks, "
        "and again in the backward pass, followed by dK, dV in fp32",
    .constraints = "the longest sequence fits tokens_per_rank on all ranks",
    .options = {tokens_per_rank_option()},
    .tuning = {{"tokens_per_rank", {"4096", "8192", "16384", "32768", "65536"}}},
    .plan = plan_rings<bytescale::schedule>,
    .report = ring_report<bytescale::schedule>,
};

}  // namespace cpbench
