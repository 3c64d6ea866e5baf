#include "harness/compile/plan_index.h"

#include "harness/plan/plan_bytes.h"

namespace cpbench {
namespace {

template <typename Visit>
void each_member(RangeSpan set, const Visit& visit) {
  for (const Range& range : set) {
    for (int64_t rank = range.begin; rank < range.end; ++rank) visit(rank);
  }
}

}  // namespace

PassIndex::PassIndex(const Pass& pass, const Plan& plan, const AttentionShape& shape)
    : attends(plan.ranks), outgoing(plan.ranks), incoming(plan.ranks) {
  for (size_t i = 0; i < pass.attends.size(); ++i) {
    attends[pass.attends[i].rank].push_back(static_cast<int32_t>(i));
  }
  for (size_t i = 0; i < pass.sends.size(); ++i) {
    const Send& send = pass.sends[i];
    wire_bytes.push_back(cost_of(send, pass, plan, shape).bytes_per_pair);
    const auto number = static_cast<int32_t>(i);
    each_member(plan.rank_sets[send.from], [&](int64_t r) { outgoing[r].push_back(number); });
    each_member(plan.rank_sets[send.to], [&](int64_t r) { incoming[r].push_back(number); });
  }
}

}  // namespace cpbench
