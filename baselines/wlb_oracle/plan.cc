// The better of a zigzag ring and ByteScale for each pack: what FCP compares itself with under the
// name of WLB-LLM.
#include <algorithm>
#include <map>
#include <string>

#include "harness/strategy/group_cost.h"
#include "harness/strategy/groups.h"
#include "harness/strategy/strategy.h"

namespace cpbench {
namespace {

struct Choice {
  double ring_seconds = 0;
  double bytescale_seconds = 0;
  bool bytescale() const { return bytescale_seconds < ring_seconds; }
  const char* strategy() const { return bytescale() ? "bytescale" : "zigzag"; }
};

// Options of another strategy; all but these are its defaults.
Options options_of(const Strategy& strategy, const Options& options) {
  std::map<std::string, std::string> set;
  if (strategy.name == "bytescale") set = options.changed_values();
  return {strategy.name, strategy.options, set};
}

Choice choose(const Problem& problem, const Options& options) {
  Choice choice;
  GroupCost::Load all;
  for (const GroupCost::Load& load : loads_of(sequences_of(problem.batch), GroupCost(problem))) {
    all += load;
  }
  choice.ring_seconds = GroupCost(problem).ring_seconds(all, problem.ranks());
  const Strategy& bytescale = find_strategy("bytescale");
  for (const ReportedValue& value : bytescale.report(problem, options_of(bytescale, options))) {
    if (value.name == "planned_seconds") choice.bytescale_seconds = value.value;
  }
  return choice;
}

Plan plan(const Problem& problem, const Options& options) {
  const Strategy& better = find_strategy(choose(problem, options).strategy());
  return better.plan(problem, options_of(better, options));
}

std::vector<ReportedValue> report(const Problem& problem, const Options& options) {
  const Choice choice = choose(problem, options);
  return {{"chooses_bytescale", choice.bytescale() ? 1.0 : 0.0, ""},
          {"ring_seconds", choice.ring_seconds, "s"},
          {"bytescale_seconds", choice.bytescale_seconds, "s"}};
}

}  // namespace

extern const Strategy strategy_wlb_oracle = {
    .name = "wlb_oracle",
    .title = "The better of ring and ByteScale (FCP's WLB-LLM)",
    .source = "FCP, arXiv 2605.08524, appendix A.3",
    .moves = "what zigzag moves, or what bytescale moves, whichever is expected to be faster",
    .constraints = "the longest sequence fits tokens_per_rank on all ranks",
    .options = {tokens_per_rank_option()},
    .tuning = {{"tokens_per_rank", {"4096", "8192", "16384", "32768", "65536"}}},
    .plan = plan,
    .report = report,
};

}  // namespace cpbench
