// Ulysses of one degree for all sequences, next to data parallelism: the static setup of DeepSpeed
// that flexible degrees are compared with.
//
// 1. The ranks are cut into N / d groups of d consecutive ranks.
// 2. Sequences are dealt longest first, each to the group with the least work so far.
// 3. An all-to-all inside each group exchanges tokens for heads, and another brings them back.
#include <numeric>
#include <set>
#include <string>

#include "harness/strategy/group_cost.h"
#include "harness/strategy/groups.h"
#include "harness/strategy/strategy.h"

namespace cpbench {
namespace {

// The largest degree that divides the query heads and the ranks, within a node.
int32_t largest_degree(const Problem& problem) {
  return std::gcd(std::gcd(problem.shape.query_heads, problem.ranks()),
                  problem.cluster.gpus_per_node);
}

std::vector<Group> groups_of(const Problem& problem, const Options& options) {
  auto degree = static_cast<int32_t>(options.integer("degree"));
  if (degree == 0) degree = largest_degree(problem);
  if (problem.ranks() % degree != 0) {
    throw Unsupported("groups of degree=" + std::to_string(degree) + " do not divide " +
                      std::to_string(problem.ranks()) + " ranks");
  }
  std::vector<Group> groups(problem.ranks() / degree);
  std::set<std::pair<double, size_t>> busy;  // (seconds of work so far, group)
  for (size_t g = 0; g < groups.size(); ++g) {
    groups[g].ranks.resize(degree);
    std::iota(groups[g].ranks.begin(), groups[g].ranks.end(), static_cast<int32_t>(g) * degree);
    busy.emplace(0, g);
  }
  const GroupCost cost(problem);
  const Loads loads = loads_of(sequences_of(problem.batch), cost);
  for (const int32_t sequence : longest_first(loads)) {
    const auto [seconds, g] = *busy.begin();
    busy.erase(busy.begin());
    groups[g].sequences.push_back(sequence);
    busy.emplace(seconds + cost.work_seconds(loads[sequence]), g);
  }
  std::erase_if(groups, [](const Group& group) { return group.sequences.empty(); });
  return groups;
}

Plan make_plan(const Problem& problem, const Options& options) {
  return ulysses_in_groups(problem, groups_of(problem, options));
}

std::vector<ReportedValue> make_report(const Problem& problem, const Options& options) {
  return group_report(groups_of(problem, options), problem.ranks());
}

}  // namespace

extern const Strategy strategy_deepspeed_static = {
    .name = "deepspeed_static",
    .title = "DeepSpeed-Ulysses x data parallelism",
    .source =
        "static baseline of Flexible CP, arXiv 2602.21788; DeepSpeed-Ulysses, arXiv "
        "2309.14509",
    .moves = "Q, K, V from token shards to head shards inside groups of one degree, and O back",
    .constraints = "degree divides the ranks and is at most the query heads",
    .options = {integer_option("degree", "0",
                               "ranks of every group; 0: the largest within a node that divides "
                               "the query heads and the ranks",
                               0, 1e6)},
    .tuning = {{"degree", {"1", "2", "4", "16", "32"}}},
    .plan = make_plan,
    .report = make_report,
};

}  // namespace cpbench
