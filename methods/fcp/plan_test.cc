#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

#include "harness/plan/check.h"
#include "harness/plan/plan_bytes.h"
#include "harness/strategy/strategy.h"
#include "methods/fcp/schedule.h"

namespace cpbench {

extern const Strategy strategy_fcp;

namespace fcp {
namespace {

using Set = std::map<std::string, std::string>;

Problem problem_of(Batch batch, int32_t ranks) {
  Problem problem;
  problem.batch = std::move(batch);
  problem.shape.query_heads = 8;
  problem.shape.kv_heads = 2;
  problem.cluster.gpus_per_node = ranks;
  return problem;
}

Options options_of(const Set& set) { return {"fcp", strategy_fcp.options, set}; }
Plan plan_of(const Problem& problem, const Set& set = {}) {
  return strategy_fcp.plan(problem, options_of(set));
}

void expect_correct(const Problem& problem, const Plan& plan) {
  const CheckReport report = check(problem, plan);
  EXPECT_TRUE(report.ok()) << report.violations.front().text();
}

Batch random_batch(std::mt19937_64& random) {
  Batch batch;
  const uint64_t longest = 1 + random() % 60;
  for (uint64_t n = 1 + random() % 8; n > 0; --n) {
    batch.document_lengths.push_back(static_cast<int64_t>(1 + random() % longest));
  }
  batch.mask = static_cast<Mask>(random() % 4);
  if (batch.mask == Mask::sliding_window) {
    batch.window = static_cast<int64_t>(1 + random() % (longest + 2));
  }
  return batch;
}

TEST(FcpPlan, CorrectWithAnyOptionsOnAnyBatch) {
  std::mt19937_64 random(11);
  const auto one_of = [&](std::vector<const char*> values) -> std::string {
    return values[random() % values.size()];
  };
  int planned = 0;
  for (int i = 0; i < 400; ++i) {
    const Problem problem =
        problem_of(random_batch(random), 1 + static_cast<int32_t>(random() % 9));
    const Set set = {
        {"block", one_of({"0", "0", "0", "2", "3", "5", "16"})},
        {"units", one_of({"zigzag", "contiguous"})},
        {"delta", one_of({"0.125", "1", "8"})},
        {"local_search", one_of({"true", "false"})},
        {"permute", one_of({"true", "false"})},
        {"dedup", one_of({"true", "false"})},
        {"reshuffle", one_of({"true", "true", "false"})},
        {"coalesce", one_of({"1", "2", "16"})},
        {"arm",
         one_of({"base", "pipelined", "conflict_free", "coalesced", "reshuffle_overlapped"})},
    };
    try {
      expect_correct(problem, plan_of(problem, set));
      ++planned;
    } catch (const Unsupported& refusal) {
      EXPECT_NE(std::string(refusal.what()).find("block <= "), std::string::npos);
    }
    if (HasFailure()) FAIL() << "batch " << i << " " << options_of(set).changed();
  }
  EXPECT_GT(planned, 240);
}

// Steps in which a pass sends a tensor.
std::set<int32_t> steps_of(const Pass& pass, Tensor tensor) {
  std::set<int32_t> steps;
  for (const Send& s : pass.sends) {
    if (s.tensor == tensor) steps.insert(s.step);
  }
  return steps;
}

// In each sub-stage a rank sends at most one set of K,V and receives at most one, and over all
// stages there are exactly as many sub-stages as the busiest rank has transfers.
TEST(FcpPlan, SubStagesAreMatchingsAndExactlyD) {
  std::mt19937_64 random(12);
  for (int i = 0; i < 300; ++i) {
    const Problem problem =
        problem_of(random_batch(random), 2 + static_cast<int32_t>(random() % 7));
    const Schedule schedule = make_schedule(problem, {});
    const Plan plan = plan_of(problem);
    // K,V is relaid in step 0, if at all, and has it to itself.
    const bool relaid = !steps_of(plan.forward, Tensor::o).empty();
    std::set<std::pair<int32_t, int32_t>> substages;
    std::set<std::tuple<int32_t, int32_t, SetId>> senders, receivers;
    std::map<SetId, int32_t> sends, receives;
    for (const Send& s : plan.forward.sends) {
      if (s.tensor != Tensor::kv || (relaid && s.step == 0)) continue;
      substages.insert({s.step, s.substage});
      EXPECT_TRUE(senders.insert({s.step, s.substage, s.from}).second);
      EXPECT_TRUE(receivers.insert({s.step, s.substage, s.to}).second);
      ++sends[s.from];
      ++receives[s.to];
    }
    int32_t busiest = 0;
    for (const auto* counts : {&sends, &receives}) {
      for (const auto& [rank, count] : *counts) busiest = std::max(busiest, count);
    }
    EXPECT_EQ(static_cast<int32_t>(substages.size()), busiest);
    EXPECT_EQ(schedule.degree, busiest);
    if (HasFailure()) FAIL() << "batch " << i;
  }
}

// README: X relaid tokens, E tokens that other ranks' queries see and have neither got nor at home.
TEST(FcpPlan, BytesAreTheClosedForm) {
  std::mt19937_64 random(13);
  for (int i = 0; i < 100; ++i) {
    const Problem problem =
        problem_of(random_batch(random), 1 + static_cast<int32_t>(random() % 8));
    const Schedule schedule = make_schedule(problem, {});
    const MaskIndex mask(problem.batch);
    std::vector<int32_t> owner(problem.tokens()), home(problem.tokens());
    for (size_t u = 0; u < schedule.units.units.size(); ++u) {
      for (const Range& r : schedule.units.units[u].tokens) {
        for (int64_t t = r.begin; t < r.end; ++t) owner[t] = schedule.rank_of[u];
      }
    }
    std::set<std::pair<int64_t, int32_t>> seen;  // (key, rank of a query)
    for (int64_t t = 0; t < problem.tokens(); ++t) {
      while (schedule.home[home[t]].end <= t) ++home[t];
      const Range keys = mask.visible_keys(t);
      for (int64_t k = keys.begin; k < keys.end; ++k) seen.insert({k, owner[t]});
    }
    int64_t x = 0, e = 0;
    for (int64_t t = 0; t < problem.tokens(); ++t) x += owner[t] != home[t];
    for (const auto& [key, rank] : seen) e += rank != owner[key] && rank != home[key];

    const AttentionShape& shape = problem.shape;
    const int64_t hq = shape.query_heads, h = shape.kv_heads, d = shape.head_dim;
    const int64_t expected = bytes_of(shape.dtype) * (x * 4 * (hq + h) * d + e * 6 * h * d) +
                             bytes_of(accumulation_dtype(shape.dtype)) * x * 3 * hq;
    int64_t planned = 0;
    const Plan plan = plan_of(problem);
    for (const Pass* pass : {&plan.forward, &plan.backward}) {
      for (const Send& send : pass->sends) planned += cost_of(send, *pass, plan, shape).total();
    }
    ASSERT_EQ(planned, expected) << "batch " << i;
  }
}

TEST(FcpPlan, OneRankMovesNothing) {
  const Plan plan = plan_of(problem_of({.document_lengths = {9, 1, 30}}, 1));
  EXPECT_TRUE(plan.forward.sends.empty());
  EXPECT_TRUE(plan.backward.sends.empty());
  EXPECT_EQ(plan.forward.steps, 1);
}

TEST(FcpPlan, ArmsShareTheTransfersAndDifferInStages) {
  const Problem problem = problem_of({.document_lengths = {512, 100, 300, 7, 105}}, 4);
  std::map<std::string, int32_t> steps;
  std::set<int64_t> bytes;
  for (const char* arm :
       {"base", "pipelined", "conflict_free", "coalesced", "reshuffle_overlapped"}) {
    const Plan plan = plan_of(problem, {{"arm", arm}});
    expect_correct(problem, plan);
    steps[arm] = plan.forward.steps;
    int64_t total = 0;
    for (const Send& s : plan.forward.sends) {
      total += cost_of(s, plan.forward, plan, problem.shape).total();
    }
    bytes.insert(total);
  }
  EXPECT_EQ(bytes.size(), 1u);
  const int32_t degree = make_schedule(problem, {}).degree;
  EXPECT_EQ(steps["conflict_free"], degree + 3);
  EXPECT_EQ(steps["coalesced"], (degree + 15) / 16 + 3);
  EXPECT_EQ(steps["reshuffle_overlapped"], steps["coalesced"]);
  EXPECT_LE(steps["pipelined"], degree + 3);
  // The relayout, all transfers, attention of what each sub-stage brought, the relayout back.
  EXPECT_GT(steps["base"], 4);
  EXPECT_LE(steps["base"], degree + 3);
}

// Sixteen units, four on each of four ranks, in stages of two transfers.
TEST(FcpPlan, OverlappedTokensAreRelaidWhenTheyAreDue) {
  const Problem problem = problem_of({.document_lengths = {256, 256}}, 4);
  const Plan at_once =
      plan_of(problem, {{"arm", "coalesced"}, {"coalesce", "2"}, {"dedup", "false"}});
  const Plan when_due = plan_of(problem, {{"coalesce", "2"}, {"dedup", "false"}});
  EXPECT_EQ(steps_of(at_once.forward, Tensor::q), std::set<int32_t>{0});
  EXPECT_EQ(steps_of(at_once.forward, Tensor::o), std::set<int32_t>{at_once.forward.steps - 1});
  for (const auto& [pass, tensor] : {std::pair(&when_due.forward, Tensor::q),
                                     {&when_due.forward, Tensor::o},
                                     {&when_due.backward, Tensor::d_o},
                                     {&when_due.backward, Tensor::dq}}) {
    EXPECT_GT(steps_of(*pass, tensor).size(), 2u);
  }
}

TEST(FcpPlan, WithoutReshuffleTokensAreAtHomeWhereTheirUnitsAre) {
  const Problem problem = problem_of({.document_lengths = {512, 100, 300, 7, 105}}, 4);
  FcpOptions options;
  options.reshuffle = false;
  const Schedule schedule = make_schedule(problem, options);
  const Plan plan = plan_of(problem, {{"reshuffle", "false"}});
  expect_correct(problem, plan);
  for (size_t u = 0; u < schedule.units.units.size(); ++u) {
    EXPECT_TRUE(contains_all(plan.token_sets[plan.home[schedule.rank_of[u]]],
                             schedule.units.units[u].tokens));
  }
  for (Tensor tensor : {Tensor::q, Tensor::o, Tensor::d_o, Tensor::dq}) {
    EXPECT_TRUE(steps_of(plan.forward, tensor).empty());
    EXPECT_TRUE(steps_of(plan.backward, tensor).empty());
  }
}

TEST(FcpPlan, PermutationLowersTheDegree) {
  const Problem problem = problem_of({.document_lengths = {4096, 2048, 1024, 1024}}, 8);
  FcpOptions without;
  without.permute = false;
  EXPECT_LT(make_schedule(problem, {}).degree, make_schedule(problem, without).degree);
}

TEST(FcpPlan, RefusesWhatDoesNotFit) {
  const Problem problem = problem_of({.document_lengths = {64}}, 4);
  try {
    plan_of(problem, {{"block", "32"}});
    FAIL() << "a unit of 32 tokens on ranks of 16";
  } catch (const Unsupported& refusal) {
    EXPECT_STREQ(refusal.what(),
                 "a unit of 32 tokens fits on no rank: each may have 18 of 64 tokens (4 ranks, "
                 "delta 0.125); block <= 2 or delta >= 2 is sure to work");
  }
  expect_correct(problem, plan_of(problem, {{"block", "32"}, {"delta", "2"}}));
  expect_correct(problem, plan_of(problem, {{"block", "2"}}));
}

TEST(FcpPlan, FactsSayHowEvenItIs) {
  const Problem problem = problem_of({.document_lengths = {512, 100, 300, 7, 105}}, 4);
  std::map<std::string, double> facts;
  for (const ReportedValue& f : strategy_fcp.report(problem, options_of({})))
    facts[f.name] = f.value;
  EXPECT_EQ(facts["max_degree"], make_schedule(problem, {}).degree);
  EXPECT_EQ(facts["stages"], make_schedule(problem, {}).stages);
  EXPECT_GE(facts["compute_imbalance"], 1);
  EXPECT_LE(facts["compute_imbalance"], 1.05);
  EXPECT_LE(facts["token_imbalance"], 1.125);
  EXPECT_GE(facts["send_imbalance_undeduplicated"], 1);
}

}  // namespace
}  // namespace fcp
}  // namespace cpbench
