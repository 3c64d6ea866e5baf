#include "harness/compile/plan_index.h"

#include "harness/compile/program.h"
#include "harness/plan/plan_bytes.h"

namespace cpbench {
namespace {

// Whether one call of a library can run the collective that has this send.
bool library_runs(const Send& send, CollectiveKind kind, int64_t block_bytes, const Plan& plan) {
  if (kind == CollectiveKind::all_to_all || send.tensor == Tensor::o) return false;
  const SetId group = kind == CollectiveKind::all_gather ? send.to : send.from;
  return plan.ranks > 1 && plan.rank_sets.size_of(group) == plan.ranks && block_bytes > 0 &&
         block_bytes % kBufferAlignment == 0;
}

}  // namespace

PassIndex::PassIndex(const Pass& pass, const Plan& plan, const AttentionShape& shape,
                     Collectives collectives)
    : attends(plan.ranks),
      outgoing(plan.ranks),
      incoming(plan.ranks),
      blocks(pass.collectives.size()) {
  for (size_t i = 0; i < pass.attends.size(); ++i) {
    attends[pass.attends[i].rank].push_back(static_cast<int32_t>(i));
  }
  for (size_t i = 0; i < pass.sends.size(); ++i) {
    const Send& send = pass.sends[i];
    wire_bytes.push_back(cost_of(send, pass, plan, shape).bytes_per_pair);
    const auto number = static_cast<int32_t>(i);
    for_each_member(plan.rank_sets[send.from], [&](int64_t r) { outgoing[r].push_back(number); });
    for_each_member(plan.rank_sets[send.to], [&](int64_t r) { incoming[r].push_back(number); });
    if (send.collective < 0 || collectives == Collectives::messages) continue;
    const CollectiveKind kind = pass.collectives[send.collective].kind;
    if (!library_runs(send, kind, wire_bytes[i], plan)) continue;
    blocks[send.collective].resize(plan.ranks);
    const SetId owner = kind == CollectiveKind::all_gather ? send.from : send.to;
    blocks[send.collective][plan.rank_sets[owner].front().begin] = number;
  }
}

}  // namespace cpbench
