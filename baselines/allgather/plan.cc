// Llama 3's context parallelism: the pack is cut into 2N chunks, and all K, V is gathered on every
// rank.
#include <vector>

#include "harness/strategy/patterns.h"
#include "harness/strategy/sharding.h"
#include "harness/strategy/strategy.h"

namespace cpbench {
namespace {

Plan plan(const Problem& problem, const Options& options) {
  const bool contiguous = options.text("shards") == "contiguous";
  const auto shards = contiguous ? contiguous_shards : head_tail_shards;
  return all_gather_plan(problem, shards(problem.tokens(), problem.ranks()),
                         all_gather_options(options, problem.shape));
}

std::vector<OptionSpec> option_specs() {
  std::vector<OptionSpec> specs = all_gather_option_specs();
  specs.push_back({.name = "shards",
                   .kind = OptionKind::choice,
                   .default_value = "head_tail",
                   .help = "a head and a tail chunk of the pack per rank, or one contiguous part",
                   .choices = {"head_tail", "contiguous"}});
  return specs;
}

}  // namespace

extern const Strategy strategy_allgather = {
    .name = "allgather",
    .title = "All-gather (Llama 3, Per-Seq)",
    .source = "The Llama 3 Herd of Models, arXiv 2407.21783, section 3.3.2",
    .moves =
        "all K, V in one all-gather, of a head and a tail chunk of the pack per rank; dK, dV in "
        "one "
        "reduce-scatter in the backward pass",
    .constraints = "head_groups divides the KV heads",
    .options = option_specs(),
    .tuning = {{"head_groups", {"2", "4"}}},
    .plan = plan,
};

}  // namespace cpbench
