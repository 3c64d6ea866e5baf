#include "harness/simulate/expected_cost.h"

namespace cpbench {
namespace {

// Of ring, burst, allgather and torch_ptrr on 1,024 ranks the peak memory, less that of the plan
// and the libraries, is 220 to 260 bytes for each attend and message, and the time 1 to 3 us.
constexpr double kBytes = 240, kSeconds = 2e-6;
// A Timeline has the bytes and the number of messages of each pair of ranks.
constexpr double kBytesOfPair = 16;

}  // namespace

ExpectedCost expected_cost(const Plan& plan, Passes passes) {
  ExpectedCost cost;
  const auto add = [&](const Pass& pass) {
    cost.attends += std::ssize(pass.attends);
    for (const Send& send : pass.sends) {
      if (send.tokens == RangeSets::kEmpty && send.collective < 0) continue;
      const RangeSpan from = plan.rank_sets[send.from], to = plan.rank_sets[send.to];
      cost.messages += size_of(from) * size_of(to) - size_of_intersection(from, to);
    }
  };
  add(plan.forward);
  if (passes == Passes::both) add(plan.backward);
  const auto operations = static_cast<double>(cost.attends + cost.messages);
  cost.bytes = kBytes * operations + kBytesOfPair * plan.ranks * plan.ranks;
  cost.seconds = kSeconds * operations;
  return cost;
}

}  // namespace cpbench
