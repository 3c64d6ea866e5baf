#include "harness/plan/plan_text.h"

#include <gtest/gtest.h>

#include "harness/plan/error_of_for_tests.h"

namespace cpbench {
namespace {

constexpr const char* kText =
    "plan ranks 2 tokens 8 query_heads 2 gradient_wire accumulation\n"
    "tokens 1 0-4\n"
    "tokens 2 4-6,7-8\n"
    "ranks 1 0-1\n"
    "ranks 2 0-2\n"
    "home 0 1\n"
    "home 1 2\n"
    "forward lookahead 1\n"
    "collective 0 all_gather 4\n"
    "attend 1 rank 0 q 1 kv 2 heads 0-2\n"
    "send 0.0 from 1 to 2 kv 1 heads 0-2 collective 0\n"
    "backward lookahead 2\n"
    "send 0.3 from 1 to 2 do 1 heads 0-1\n"
    "keep 1 kv 1 heads 0-2\n";

TEST(PlanText, RoundTrips) {
  Plan plan = plan_from_text(kText);
  EXPECT_EQ(plan_text(plan), kText);
  EXPECT_EQ(plan.forward.steps, 2);
  EXPECT_EQ(plan.backward.lookahead, 2);
  EXPECT_EQ(plan.backward.sends[0].tensor, Tensor::d_o);
}

TEST(PlanText, HashIsFixedForGood) {
  EXPECT_EQ(hash_of(plan_from_text(kText)), 10263713596906191413ULL);
  Plan other = plan_from_text(kText);
  other.keep[0].tokens = 2;
  EXPECT_NE(hash_of(other), hash_of(plan_from_text(kText)));
}

void expect_refusal(const std::string& from, const std::string& to, const std::string& message) {
  std::string text = kText;
  size_t at = text.find(from);
  ASSERT_NE(at, std::string::npos);
  text.replace(at, from.size(), to);
  EXPECT_EQ(error_of([&] { plan_from_text(text); }), message);
}

TEST(PlanText, RefusalsNameTheLine) {
  expect_refusal("send 0.3", "send 4294967296.3",
                 "line 13: 4294967296 is out of range; must be from 0 to 2147483647");
  expect_refusal("send 0.3", "send 0.4294967299",
                 "line 13: 4294967299 is out of range; must be from 0 to 2147483647");
  expect_refusal("tokens 1 0-4", "tokens 1 -9223372036854775808-4",
                 "line 2: '' is not a valid number");
  expect_refusal("attend 1", "attend -1", "line 10: '-1' is not a valid number");
  expect_refusal("forward", "\x1b[2Jforward",
                 "line 8: ' [2Jforward' must come after 'forward' or 'backward'");
  expect_refusal("plan ranks 2", "plan ranks two", "line 1: 'two' is not a valid number");
  expect_refusal("tokens 1 0-4", "tokens 1 0-4,4-5",
                 "line 2: '0-4,4-5' is not sorted, disjoint and joined ranges");
  expect_refusal("tokens 2", "tokens 5", "line 3: set 5 is out of order or repeats another");
  expect_refusal("home 1 2", "home 2 2", "line 7: home is out of order");
  expect_refusal("forward lookahead", "forwards lookahead",
                 "line 8: 'forwards' must come after 'forward' or 'backward'");
  expect_refusal("attend 1 rank", "attend 1 on", "line 10: expected 'rank', found 'on'");
  expect_refusal(" kv 1 heads 0-2 coll", " vk 1 heads 0-2 coll",
                 "line 11: 'vk' is not a valid tensor");
  expect_refusal("heads 0-1\n", "heads 0\n",
                 "line 13: '0' is not two numbers with '-' between them");
  expect_refusal("keep 1 kv 1 heads 0-2", "keep 1 kv 1", "line 14: the line ends too early");
  expect_refusal("keep 1 kv 1 heads 0-2", "keep 1 kv 1 heads 0-2 3",
                 "line 14: unexpected '3' at the end of the line");
}

}  // namespace
}  // namespace cpbench
