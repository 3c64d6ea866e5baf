// Which builder of backward passes is right for KV that is relayed.
#include "harness/plan/builder.h"

#include <gtest/gtest.h>

#include "harness/plan/error_of_for_tests.h"
#include "harness/plan/test_problems.h"

namespace cpbench {
namespace {

const Problem kThreeRanks = problem_of({12}, 3);

// Rank 0's KV goes to rank 1, and from there to rank 2; rank 1's goes to rank 2.
PlanBuilder relaying() {
  PlanBuilder b(kThreeRanks);
  for (int32_t r = 0; r < 3; ++r) b.home(r, {{4 * r, 4 * r + 4}});
  PassBuilder f = b.forward();
  for (int32_t r = 0; r < 3; ++r) {
    for (int32_t owner = r; owner >= 0; --owner) {
      f.attend(r - owner, r, b.home_of(r), b.home_of(owner));
      if (r < 2) f.send(r - owner, r, r + 1, Tensor::kv, b.home_of(owner));
    }
  }
  return b;
}

TEST(PlanBuilder, travelling_is_right_for_a_chain_of_relays) {
  PlanBuilder b = relaying();
  b.backward_travelling();
  EXPECT_EQ(violations(kThreeRanks, b.finish()), "");
}

TEST(PlanBuilder, bad_return_of_relayed_kv) {
  EXPECT_EQ(error_of<std::logic_error>([] { relaying().backward_by_return(); }),
            "backward_by_return: rank 1 sends KV in step 1 that is not of its home; gradients of "
            "relayed KV need backward_travelling or a backward pass written by hand");
}

}  // namespace
}  // namespace cpbench
