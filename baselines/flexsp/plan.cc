// FlexSP: the sequences of a micro-batch are partitioned into groups of power-of-two size, which an
// integer program chooses. Ulysses runs inside each group.
#include <algorithm>
#include <string>

#include "baselines/flexsp/program.h"
#include "harness/strategy/groups.h"
#include "harness/strategy/strategy.h"
#include "methods/flexcp/micro_batches.h"
#include "methods/flexcp/placement.h"
#include "methods/flexcp/solver.h"

namespace cpbench {
namespace flexsp {
namespace {

struct Solution {
  std::vector<Group> groups;  // in the order in which they run
  int32_t micro_batches = 0;
  int32_t unproven = 0;          // micro-batches for which the program reached a limit
  double seconds = 0;            // by GroupCost: the sum of the slowest group of each micro-batch
  double heuristic_seconds = 0;  // the same for the start of the program
};

Limits limits_of(const Problem& problem, const Options& options) {
  Limits limits;
  limits.ranks = problem.ranks();
  limits.capacity = options.integer("tokens_per_rank");
  if (limits.capacity == 0) {
    limits.capacity = flexcp::default_tokens_per_rank(problem.tokens(), limits.ranks);
  }
  const bool from_one = options.boolean("single_ranks") || limits.ranks == 1;
  const int32_t most = std::min(limits.ranks, problem.shape.query_heads);
  for (int32_t size = from_one ? 1 : 2; size <= most; size *= 2) limits.sizes.push_back(size);
  if (limits.sizes.empty()) {
    throw Unsupported(
        "no group size: one query head is too few for 2 ranks; single_ranks=true "
        "would do");
  }
  return limits;
}

void require_room(int64_t longest, const Limits& limits, int32_t query_heads) {
  const int64_t most = limits.sizes.back() * limits.capacity;
  if (longest <= most) return;
  throw Unsupported("a sequence of " + std::to_string(longest) +
                    " tokens exceeds the largest group of " + std::to_string(limits.sizes.back()) +
                    " of " + std::to_string(limits.ranks) + " ranks (" +
                    std::to_string(query_heads) + " query heads) with " +
                    std::to_string(limits.capacity) + " tokens each; raise tokens_per_rank to " +
                    std::to_string((longest + limits.sizes.back() - 1) / limits.sizes.back()));
}

struct MicroBatch {
  Items items;
  SizedGroups start;
};

Solution solve(const Problem& problem, const Options& options) {
  const GroupCost cost(problem, options.text("bandwidth") == "by_size" ? AllToAll::each_link
                                                                       : AllToAll::slowest_link);
  const Loads loads = loads_of(sequences_of(problem.batch), cost);
  const Items items = longest_first(loads);
  const Limits limits = limits_of(problem, options);
  require_room(loads[items.front()].tokens, limits, problem.shape.query_heads);

  const bool by_program = options.text("solver") == "program";
  const auto bucket_count = static_cast<int32_t>(options.integer("buckets"));
  std::vector<Bucket> buckets;
  if (by_program) buckets = buckets_of(loads, items, bucket_count);
  const Loads seen = by_program ? rounded(loads, buckets) : loads;

  auto place_part = [&](const Items& part) -> std::optional<MicroBatch> {
    std::optional<SizedGroups> groups = group_by_heuristic(seen, part, limits, cost);
    if (!groups) return std::nullopt;
    return MicroBatch{part, std::move(*groups)};
  };
  Solution out;
  for (const MicroBatch& micro_batch : flexcp::split(seen, items, 1, place_part)) {
    ProgramResult result{micro_batch.start, false};
    out.heuristic_seconds += slowest_seconds(micro_batch.start, cost);
    if (by_program) {
      result = group_by_program(loads, micro_batch.items, limits, buckets, micro_batch.start,
                                search_limits(options), cost);
      out.unproven += !result.proven;
    }
    out.seconds += slowest_seconds(result.groups, cost);
    ++out.micro_batches;
    std::vector<int32_t> sizes;
    for (const SizedGroup& group : result.groups) sizes.push_back(group.size);
    std::vector<std::vector<int32_t>> ranks = flexcp::place(sizes, problem.cluster);
    for (size_t g = 0; g < result.groups.size(); ++g) {
      out.groups.push_back({std::move(ranks[g]), std::move(result.groups[g].sequences)});
    }
  }
  return out;
}

Plan make_plan(const Problem& problem, const Options& options) {
  return ulysses_in_groups(problem, solve(problem, options).groups);
}

std::vector<ReportedValue> make_report(const Problem& problem, const Options& options) {
  const Solution solution = solve(problem, options);
  std::vector<ReportedValue> report = group_report(solution.groups, problem.ranks());
  report.push_back({"micro_batches", static_cast<double>(solution.micro_batches), ""});
  report.push_back({"planned_seconds", solution.seconds, "s"});
  if (options.text("solver") == "program") {
    report.push_back({"start_seconds", solution.heuristic_seconds, "s"});
    report.push_back({"unproven_micro_batches", static_cast<double>(solution.unproven), ""});
  }
  return report;
}

}  // namespace
}  // namespace flexsp

extern const Strategy strategy_flexsp = {
    .name = "flexsp",
    .title = "FlexSP",
    .source = "FlexSP, arXiv 2412.01523",
    .moves =
        "Q, K, V from token to head shards and O back, by all-to-all inside groups of different "
        "sizes; in the backward pass dO, then dQ, dK, dV",
    .constraints =
        "the longest sequence fits the largest power of two of ranks that is at most the "
        "query heads; solver=program requires CBC",
    .options =
        {choice_option(
             "solver", "program",
             "program: an integer program (CBC); heuristic: only the start of the program",
             {"program", "heuristic"}),
         choice_option("bandwidth", "by_size",
                       "by_size: ranks of one node exchange over its own links, so the "
                       "bandwidth of a group follows from its size, as upstream measures it; "
                       "slowest_link: that of the network for every group across nodes",
                       {"by_size", "slowest_link"}),
         boolean_option("single_ranks", "false",
                        "allow groups of one rank, which upstream never makes"),
         integer_option("tokens_per_rank", "0",
                        "tokens of one micro-batch that a rank holds; 0: 2 T / N", 0, 1e12),
         integer_option("buckets", "16",
                        "for solver=program: buckets of lengths that it distinguishes", 1, 256),
         integer_option("nodes", "50",
                        "for solver=program: search nodes before it takes the best solution so far",
                        0, 1e9),
         number_option("seconds", "60",
                       "for solver=program: seconds, for each micro-batch, before it takes "
                       "the best solution so far",
                       0.001, 1e6)},
    .tuning = {{"solver", {"heuristic"}}, {"single_ranks", {"true"}}},
    .plan = flexsp::make_plan,
    .report = flexsp::make_report,
};

}  // namespace cpbench
