#include "harness/plan/check.h"

#include "harness/plan/check_context.h"

namespace cpbench {
namespace {

using checker::Context;
using checker::MemoryTally;
using checker::PassKind;

// q, kv (with its latents, if they travel) and o of its own tokens are at a rank's home all the
// time; do, dq and dkv are there in the backward pass.
void tally_home(const Context& context, Passes passes, std::vector<MemoryTally>& tallies) {
  const Plan& plan = context.plan;
  const AttentionShape& shape = context.problem.shape;
  Heads all{0, plan.query_heads};
  auto bytes = [&](std::initializer_list<Tensor> tensors) {
    int64_t sum = 0;
    for (Tensor t : tensors) {
      sum += stored_bytes_per_token(t, all, shape);
      if (has_kv_heads(t)) sum += latent_bytes_per_token(t, shape);
    }
    return sum;
  };
  int64_t always = bytes({Tensor::q, Tensor::kv, Tensor::o});
  int64_t in_backward = bytes({Tensor::d_o, Tensor::dq, Tensor::dkv});
  int32_t forward = plan.forward.steps, end = forward;
  if (passes == Passes::both) end += plan.backward.steps;
  for (int32_t rank = 0; rank < plan.ranks; ++rank) {
    int64_t tokens = plan.token_sets.size_of(plan.home[rank]);
    tallies[rank].add(0, end - 1, always * tokens);
    if (end > forward) tallies[rank].add(forward, end - 1, in_backward * tokens);
  }
}

}  // namespace

std::string Violation::text() const {
  return rule + " " + where + ": expected " + expected + "; found " + found;
}

CheckReport check(const Problem& problem, const Plan& plan, Passes passes,
                  const Deadline& deadline) {
  Context context(problem, plan, deadline);
  CheckReport report;
  if (check_structure(context, passes)) {
    int32_t steps = plan.forward.steps + (passes == Passes::both ? plan.backward.steps : 0);
    std::vector<MemoryTally> tallies(plan.ranks, MemoryTally(steps));
    tally_home(context, passes, tallies);
    for (PassKind kind : {PassKind::forward, PassKind::backward}) {
      if (kind == PassKind::backward && passes == Passes::forward) break;
      check_coverage(context, kind);
      std::vector<checker::RankOperations> operations =
          checker::operations_by_rank(plan, context.pass(kind));
      check_presence(context, kind, passes, operations, tallies);
      check_partials(context, kind, operations, tallies);
    }
    for (const MemoryTally& tally : tallies) report.peak_bytes.push_back(tally.peak());
  }
  report.violations = std::move(context.violations);
  return report;
}

}  // namespace cpbench
