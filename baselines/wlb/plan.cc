// WLB-LLM's adaptive sharding: for each pack, chooses the one of `allgather` (Per-Seq) and
// `per_doc` whose slowest rank has the shorter attention, by a model of the kernel.
//
// Per-Doc balances the work, but cuts short documents into pieces that are smaller than a tile of
// the kernel and cost as much as a whole tile. Per-Seq keeps documents together and balances only
// the pack.
#include <algorithm>

#include "harness/cost/mask_segments.h"
#include "harness/machines/kernel_models.h"
#include "harness/strategy/patterns.h"
#include "harness/strategy/sharding.h"
#include "harness/strategy/strategy.h"

namespace cpbench {
namespace {

double slowest_seconds(const Problem& problem, const std::vector<Ranges>& shards,
                       const KernelModel& kernel) {
  // The decision is made for the measured head size, whatever the head size of the shape.
  const AttentionShape shape{.head_dim = kernel.head_dim, .value_head_dim = kernel.head_dim};
  std::vector<AttentionSegment> segments;
  double total = 0;  // layers run one after another
  for (const auto& [batch, layers] : layer_batches(problem.batch)) {
    const MaskIndex mask(batch);
    double slowest = 0;
    for (const Ranges& shard : shards) {
      mask_segments(mask, shard, segments);
      double seconds = 0;
      for (KernelPass pass : {KernelPass::forward, KernelPass::backward}) {
        seconds += kernel_seconds(kernel, pass, segments, shape, problem.shape.query_heads);
      }
      slowest = std::max(slowest, seconds);
    }
    total += static_cast<double>(layers) * slowest;
  }
  return total;
}

struct Choice {
  std::vector<Ranges> shards;
  bool per_doc = false;
  double per_seq_seconds = 0;
  double per_doc_seconds = 0;
};

Choice choose(const Problem& problem, const Options& options) {
  const KernelModel& kernel = find_kernel(options.text("kernel"));
  std::vector<Ranges> per_seq = head_tail_shards(problem.tokens(), problem.ranks());
  std::vector<Ranges> per_doc = new_and_cached_shards(problem.batch, problem.ranks());
  Choice choice;
  choice.per_seq_seconds = slowest_seconds(problem, per_seq, kernel);
  choice.per_doc_seconds = slowest_seconds(problem, per_doc, kernel);
  choice.per_doc = choice.per_doc_seconds < choice.per_seq_seconds;
  choice.shards = choice.per_doc ? std::move(per_doc) : std::move(per_seq);
  return choice;
}

Plan plan(const Problem& problem, const Options& options) {
  AllGatherOptions gather = all_gather_options(options, problem.shape);
  return all_gather_plan(problem, choose(problem, options).shards, gather);
}

std::vector<ReportedValue> report(const Problem& problem, const Options& options) {
  all_gather_options(options, problem.shape);  // throws Unsupported where `plan` does
  Choice choice = choose(problem, options);
  return {{"chose_per_doc", choice.per_doc ? 1.0 : 0.0, ""},
          {"estimated_per_seq_seconds", choice.per_seq_seconds, "s"},
          {"estimated_per_doc_seconds", choice.per_doc_seconds, "s"}};
}

std::vector<OptionSpec> option_specs() {
  std::vector<std::string> kernels;
  for (const KernelModel& model : kernel_models()) kernels.push_back(model.name);
  std::vector<OptionSpec> specs = all_gather_option_specs();
  specs.push_back(choice_option(
      "kernel", "fa2_h100",
      "kernel and GPU whose modelled time decides between Per-Seq and Per-Doc", kernels));
  return specs;
}

}  // namespace

extern const Strategy strategy_wlb = {
    .name = "wlb",
    .title = "WLB-LLM adaptive sharding",
    .source = "WLB-LLM: Workload-Balanced 4D Parallelism for LLM Training, arXiv 2503.17924",
    .moves = "as allgather or as per_doc: for each pack the one that is estimated to be faster",
    .constraints = "head_groups divides the KV heads",
    .options = option_specs(),
    .tuning = {{"head_groups", {"2", "4"}}},
    .plan = plan,
    .report = report,
};

}  // namespace cpbench
