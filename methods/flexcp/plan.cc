// Flexible CP: the sequences of a micro-batch are partitioned into groups. Each group has its own
// number of ranks, and all groups run at once. Inside a group every sequence is cut zigzag over the
// ranks, and KV goes round the ring.
#include "harness/strategy/groups.h"
#include "harness/strategy/strategy.h"
#include "methods/flexcp/placement.h"
#include "methods/flexcp/solver.h"

namespace cpbench {
namespace flexcp {
namespace {

Solution solution_of(const Problem& problem, const Options& options) {
  const std::string& model = options.text("cost");
  const Cost cost(problem, {.model = model == "published" ? CostModel::published
                                     : model == "ring"    ? CostModel::ring
                                                          : CostModel::calibrated,
                            .sequence_seconds = 1e-6 * options.number("sequence_microseconds"),
                            .attention_efficiency = options.number("attention_efficiency"),
                            .layer_efficiency = options.number("layer_efficiency")});
  const Loads loads = loads_of(sequences_of(problem.batch), cost);
  Limits limits{
      .ranks = problem.ranks(),
      .tokens_per_rank = options.integer("tokens_per_rank"),
      .max_degree = static_cast<int32_t>(options.integer("max_degree")),
      .leftover = options.text("leftover") == "slowest" ? Leftover::slowest : Leftover::round_robin,
      .static_bins = options.text("bins") == "best"};
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
                    "ranks of every group (the static baseline); 0: chosen for each group", 0, 1e6),
                integer_option("max_degree", "32", "most ranks of a group with a chosen degree", 1,
                               1e6),
                choice_option("leftover", "round_robin",
                              "ranks left over go to the groups in turn, or to the slowest group "
                              "as far as that helps",
                              {"round_robin", "slowest"}),
                choice_option("bins", "best_fit",
                              "best: also tries the groups of the best static degree, and takes "
                              "what the cost prefers",
                              {"best_fit", "best"}),
                choice_option("cost", "published",
                              "the paper's terms; ring: hops that attention hides; calibrated: "
                              "also what a step of a ring costs outside of attention",
                              {"published", "ring", "calibrated"}),
                number_option("sequence_microseconds", "10",
                              "for cost=published: its constant per sequence, whose value is not "
                              "published",
                              0, 1e6),
                number_option("attention_efficiency", "0.5",
                              "fraction of the peak that attention is expected to attain", 0.001,
                              1),
                number_option("layer_efficiency", "0.5",
                              "the same for the layer around the attention", 0.001, 1)},
    .tuning = {{"bins", {"best"}}, {"leftover", {"slowest"}}, {"cost", {"calibrated"}}},
    .plan = flexcp::make_plan,
    .report = flexcp::make_report,
};

}  // namespace cpbench
