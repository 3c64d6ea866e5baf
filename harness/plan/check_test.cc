// One refusal or more per rule, next to the plan that passes. tests/contract compares the checker
// with a slow oracle on thousands of mutated plans.
#include "harness/plan/check.h"

#include <gtest/gtest.h>

#include "harness/plan/plan_text.h"
#include "harness/plan/test_problems.h"

namespace cpbench {
namespace {

// A ring written by hand, two ranks and one document of 8 tokens: rank 0's KV goes to rank 1 in
// step 0 and is attended there in step 1; its gradient comes back in step 2.
constexpr const char* kGood =
    "plan ranks 2 tokens 8 query_heads 2 gradient_wire model\n"
    "tokens 1 0-4\n"
    "tokens 2 4-8\n"
    "tokens 3 0-8\n"
    "ranks 1 0-1\n"
    "ranks 2 1-2\n"
    "ranks 3 0-2\n"
    "home 0 1\n"
    "home 1 2\n"
    "forward lookahead 1\n"
    "attend 0 rank 0 q 1 kv 1 heads 0-2\n"
    "attend 0 rank 1 q 2 kv 2 heads 0-2\n"
    "attend 1 rank 1 q 2 kv 1 heads 0-2\n"
    "send 0.0 from 1 to 2 kv 1 heads 0-2\n"
    "backward lookahead 1\n"
    "attend 0 rank 0 q 1 kv 1 heads 0-2\n"
    "attend 0 rank 1 q 2 kv 2 heads 0-2\n"
    "attend 1 rank 1 q 2 kv 1 heads 0-2\n"
    "send 2.0 from 2 to 1 dkv 1 heads 0-2\n"
    "keep 1 kv 1 heads 0-2\n";

const Problem kProblem =
    problem_of({8}, 2, {.query_heads = 2, .kv_heads = 1, .head_dim = 4, .value_head_dim = 4});

std::string replaced(std::string from, std::string to) {
  std::string text = kGood;
  size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

void expect_violation(const std::string& text, const std::string& message) {
  const std::string found = violations(kProblem, plan_from_text(text));
  EXPECT_NE(("\n" + found).find("\n" + message + "\n"), std::string::npos)
      << "expected: " << message << "\nfound: " << found;
}

TEST(Check, GoodPlanPasses) { EXPECT_EQ(violations(kProblem, plan_from_text(kGood)), ""); }

TEST(Check, PeakMemoryByHand) {
  CheckReport report = check(kProblem, plan_from_text(kGood));
  // Per token, fp32: q 2*4*4 = 32; kv 1*(4+4)*4 = 32; o 2*4*4 + lse 8 = 40; do 32 + 16 = 48;
  // dq 32; dkv 32. Home of 4 tokens in the backward pass: 4 * 216 = 864.
  // Rank 0, last step: the gradients of 4 tokens arrive: 4 * 32 = 128.
  // Rank 1: the kept KV, 128, and its gradient from the step that makes it, 128.
  EXPECT_EQ(report.peak_bytes, (std::vector<int64_t>{864 + 128, 864 + 256}));
}

TEST(Check, EndsAfterItsDeadline) {
  EXPECT_THROW(check(kProblem, plan_from_text(kGood), Passes::both, Deadline(0)), DidNotEnd);
}

TEST(Check, bad_P1_step_out_of_order) {
  expect_violation(replaced("attend 0 rank 0 q 1", "attend 2 rank 0 q 1"),
                   "P1 forward step 0 rank 1 attend: expected steps in order below 3; found 0");
}
// Whatever allocates or loops by step needs work in proportion to the operations.
TEST(Check, bad_P1_more_steps_than_operations) {
  EXPECT_EQ(violations(kProblem, plan_from_text(replaced("send 2.0 from 2", "send 1027.0 from 2"))),
            "");
  expect_violation(replaced("send 2.0 from 2", "send 1028.0 from 2"),
                   "P1 backward: expected at most 1024 steps more than its 4 operations; found "
                   "1029 steps");
  expect_violation(replaced("send 2.0 from 2", "send 2147483647.0 from 2"),
                   "P1 backward step 2147483647 send 0: expected steps and sub-stages in order "
                   "below step 2147483647; found 2147483647.0");
}
TEST(Check, bad_P1_set_outside_the_batch) {
  expect_violation(replaced("tokens 2 4-8", "tokens 2 4-9"),
                   "P1 token set 2: expected inside [0, 8); found [4, 9)");
}
TEST(Check, bad_P1_wrong_ranks) {
  expect_violation(replaced("plan ranks 2", "plan ranks 3"),
                   "P1 plan ranks: expected 2 as in the problem; found 3");
}
TEST(Check, bad_P1_forward_sends_gradients) {
  expect_violation(replaced("to 2 kv 1", "to 2 dq 1"),
                   "P1 forward step 0 send 0: expected q, kv or o; found dq");
}
TEST(Check, bad_P2_token_without_home) {
  expect_violation(replaced("tokens 2 4-8", "tokens 2 4-7"),
                   "P2 home: expected every token on one rank; found [7, 8) on none");
}
TEST(Check, bad_P2_token_with_two_homes) {
  expect_violation(replaced("tokens 1 0-4", "tokens 1 0-5"),
                   "P2 home: expected every token on one rank; found [4, 5) on several");
}
TEST(Check, bad_P3_missing_attend) {
  expect_violation(
      replaced("attend 1 rank 1 q 2 kv 1 heads 0-2\n", ""),
      "P3 forward query 4 (home rank 1) kv [0, 4) heads [0, 2): expected attended once; "
      "found not attended");
}
TEST(Check, bad_P3_missing_head) {
  expect_violation(
      replaced("attend 1 rank 1 q 2 kv 1 heads 0-2\n", "attend 1 rank 1 q 2 kv 1 heads 1-2\n"),
      "P3 forward query 4 (home rank 1) kv [0, 4) heads [0, 1): expected attended once; "
      "found not attended");
}
TEST(Check, bad_P3_attended_twice) {
  expect_violation(
      replaced("attend 1 rank 1 q 2 kv 1", "attend 1 rank 1 q 2 kv 3"),
      "P3 forward query 4 (home rank 1) kv [4, 8) heads [0, 2): expected attended once; "
      "found attended by rank 1 step 0 and rank 1 step 1");
}
TEST(Check, bad_P4_read_before_it_came) {
  std::string late = replaced("send 0.0 from 1", "send 1.0 from 1");
  expect_violation(late,
                   "P4 forward step 1 rank 1 attend kv heads [0, 1): expected all of it there "
                   "before the step; found [0, 4) is not");
}
TEST(Check, bad_P5_partial_sent_twice) {
  std::string send = "send 2.0 from 2 to 1 dkv 1 heads 0-2\n";
  expect_violation(
      replaced(send, send + send),
      "P5 backward step 2 rank 1 send dkv heads [0, 1): expected partials there before "
      "the step; found none of [0, 4)");
}
// The gradient of rank 0's keys has left rank 1 when the reduction asks for it; rank 0's own part
// is still at home.
TEST(Check, bad_P5_reduction_without_partials) {
  std::string send = "send 2.0 from 2 to 1 dkv 1 heads 0-2\n";
  expect_violation(
      replaced(send, send + "send 2.1 from 3 to 1 dkv 1 heads 0-2\n"),
      "P5 backward step 2 rank 0 reduction of dkv: expected partials on a sender other than the "
      "receiver before the step; found none of [0, 4)");
}
TEST(Check, bad_P6_gradient_stays_away) {
  expect_violation(
      replaced("send 2.0 from 2 to 1 dkv 1 heads 0-2\n", ""),
      "P6 backward step 2 rank 1 dkv heads [0, 1): expected every partial at its home at "
      "the end; found [0, 4) left here");
}
TEST(Check, bad_P7_sent_to_its_home) {
  std::string send = "send 0.0 from 1 to 2 kv 1 heads 0-2\n";
  expect_violation(
      replaced(send, send + "send 1.0 from 2 to 1 kv 1 heads 0-2\n"),
      "P7 forward step 1 rank 0 arrival kv heads [0, 1): expected tokens of another rank; "
      "found [0, 4) is home here");
}
TEST(Check, bad_P7_sent_twice) {
  std::string send = "send 0.0 from 1 to 2 kv 1 heads 0-2\n";
  expect_violation(replaced(send, send + send),
                   "P7 forward step 0 rank 1 arrival kv heads [0, 1): expected not there already; "
                   "found [0, 4) came at step 0 and was not read");
}
TEST(Check, bad_P8_keeps_what_never_came) {
  expect_violation(
      replaced("keep 1 kv 1", "keep 0 kv 2"),
      "P8 forward step 2 rank 0 keep kv heads [0, 1): expected all of it there before the "
      "step; found [4, 8) is not");
}
TEST(Check, bad_P9_padding_exceeds_the_batch) {
  std::string text = replaced("send 0.0 from 1 to 2 kv 1 heads 0-2\n",
                              "collective 0 all_gather 9\n"
                              "send 0.0 from 1 to 3 kv 1 heads 0-2 collective 0\n"
                              "send 0.0 from 2 to 3 kv 2 heads 0-2 collective 0\n");
  expect_violation(text,
                   "P9 forward collective 0 (all_gather): expected blocks of at most the batch's "
                   "8 tokens; found 9");
}
TEST(Check, bad_P9_block_exceeds_padding) {
  std::string text = replaced("send 0.0 from 1 to 2 kv 1 heads 0-2\n",
                              "collective 0 all_gather 3\n"
                              "send 0.0 from 1 to 3 kv 1 heads 0-2 collective 0\n");
  expect_violation(
      text, "P9 forward collective 0 (all_gather): expected at most 3 tokens a block; found 4");
  expect_violation(text, "P9 forward collective 0 (all_gather): expected 2 sends; found 1");
}

}  // namespace
}  // namespace cpbench
