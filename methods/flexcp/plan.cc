// Flexible CP: the sequences of a micro-batch are partitioned into groups. Each group has its own
// number of ranks, and all groups run at once. Inside a group every sequence is cut zigzag over the
// ranks, and KV goes round the ring.
#include "harness/strategy/group_cost.h"
#include "harness/strategy/groups.h"
#include "harness/strategy/strategy.h"
#include "methods/flexcp/placement.h"
#include "methods/flexcp/solver.h"

namespace cpbench {
namespace flexcp {
namespace {

Solution solution_of(const Problem& problem, const Options& options) {
  const GroupCost cost(problem);
  const Loads loads = loads_of(sequences_of(problem.batch), cost);
  Limits limits{problem.ranks(), options.integer("tokens_per_rank")};
  if (limits.tokens_per_rank == 0) {
    limits.tokens_per_rank = default_tokens_per_rank(problem.tokens(), problem.ranks());
  }
  const auto degree = static_cast<int32_t>(options.integer("degree"));
  return degree == 0 ? solve(loads, limits, cost) : solve_static(loads, limits, degree, cost);
}

// In the order in which they run: one micro-batch after another.
std::vector<Group> groups_of(const Solution& solution, const Cluster& cluster) {
  std::vector<Group> groups;
  for (const std::vector<Bin>& bins : solution.micro_batches) {
    std::vector<int32_t> degrees;
    for (const Bin& bin : bins) degrees.push_back(bin.degree);
    std::vector<std::vector<int32_t>> ranks = place(degrees, cluster);
    for (size_t i = 0; i < bins.size(); ++i) {
      groups.push_back({std::move(ranks[i]), bins[i].sequences});
    }
  }
  return groups;
}

Plan make_plan(const Problem& problem, const Options& options) {
  return ring_in_groups(problem, groups_of(solution_of(problem, options), problem.cluster));
}

std::vector<ReportedValue> make_report(const Problem& problem, const Options& options) {
  const Solution solution = solution_of(problem, options);
  std::vector<ReportedValue> report =
      group_report(groups_of(solution, problem.cluster), problem.ranks());
  report.push_back({"micro_batches", static_cast<double>(solution.micro_batches.size()), ""});
  report.push_back({"planned_seconds", solution.seconds, "s"});
  if (solution.best_static_degree > 0) {
    report.push_back({"best_static_degree", static_cast<double>(solution.best_static_degree), ""});
    report.push_back({"best_static_seconds", solution.best_static_seconds, "s"});
  }
  return report;
}

}  // namespace
}  // namespace flexcp

extern const Strategy strategy_flexcp = {
    .name = "flexcp",
    .title = "Flexible CP",
    .source = "Flexible CP (v1: DHP), arXiv 2602.21788v2",
    .moves =
        "K, V round a ring inside each group, and again in the backward pass, followed by dK, dV "
        "in fp32",
    .constraints =
        "the longest sequence fits tokens_per_rank on all ranks; degree divides the ranks",
    .options = {integer_option("tokens_per_rank", "0",
                               "tokens of one micro-batch that a rank holds; 0: 2 T / N, which is "
                               "enough for one micro-batch",
                               0, 1e12),
                integer_option(
                    "degree", "0",
                    "ranks of every group (the static baseline); 0: chosen for each group", 0,
                    1e6)},
    .plan = flexcp::make_plan,
    .report = flexcp::make_report,
};

}  // namespace cpbench
