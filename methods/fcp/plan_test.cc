#include <gtest/gtest.h>

#include <map>
#include <set>

#include "harness/strategy/test_plans.h"
#include "methods/fcp/schedule.h"
#include "methods/flashcp/test_batches.h"

namespace cpbench::fcp {
namespace {

using flashcp::Random;

Problem problem_of(const Batch& batch, int32_t ranks) { return problem_of(batch, ranks, {8, 2}); }
Problem random_problem(Random& random, int32_t least_ranks, int32_t most_ranks) {
  const Batch batch = flashcp::random_batch(random, 8, 60);
  return problem_of(batch, static_cast<int32_t>(random.between(least_ranks, most_ranks)));
}

Plan plan_of(const Problem& problem, const Settings& set = {}) {
  return plan_of("fcp", problem, set);
}

TEST(FcpPlan, CorrectWithAnyOptionsOnAnyBatch) {
  Random random(11);
  const auto one_of = [&](std::vector<const char*> values) -> std::string {
    return values[random.next() % values.size()];
  };
  int planned = 0;
  for (int i = 0; i < 400; ++i) {
    const Problem problem = random_problem(random, 1, 9);
    const Settings set = {
        {"block", one_of({"0", "0", "0", "2", "3", "5", "16"})},
        {"units", one_of({"zigzag", "contiguous"})},
        {"delta", one_of({"0.125", "1", "8"})},
        {"local_search", one_of({"true", "false"})},
        {"permute", one_of({"true", "false"})},
        {"dedup", one_of({"true", "false"})},
        {"reshuffle", one_of({"true", "true", "false"})},
        {"coalesce", one_of({"1", "2", "16"})},
        {"ulysses", one_of({"1", "1", "1", "2"})},
        {"arm",
         one_of({"base", "pipelined", "conflict_free", "coalesced", "reshuffle_overlapped"})},
    };
    SCOPED_TRACE(testing::PrintToString(set));
    try {
      ASSERT_EQ(violations(problem, plan_of(problem, set)), "");
      ++planned;
    } catch (const Unsupported& refusal) {
      const std::string why = refusal.what();
      ASSERT_TRUE(why.find("block <= ") != why.npos || why.starts_with("ulysses=")) << why;
    }
  }
  EXPECT_GT(planned, 240);
}

// The steps in which a pass sends a tensor.
std::set<int32_t> steps_of(const Pass& pass, Tensor tensor) {
  std::set<int32_t> steps;
  for (const Send& s : pass.sends) {
    if (s.tensor == tensor) steps.insert(s.step);
  }
  return steps;
}

// In each sub-stage a rank sends and receives at most one set of K, V, and all stages together have
// exactly as many sub-stages as the busiest rank has transfers.
TEST(FcpPlan, SubStagesAreMatchingsAndExactlyD) {
  Random random(12);
  for (int i = 0; i < 300; ++i) {
    const Problem problem = random_problem(random, 2, 8);
    const Schedule schedule = make_schedule(problem, {.deduplicate = true});
    const Plan plan = plan_of(problem, {{"dedup", "true"}});
    // If K, V move to other ranks at all, they do so in step 0, in which nothing else happens.
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

// README: X tokens move to another rank, E tokens are seen by queries of a rank that has them
// neither by its units nor at home.
TEST(FcpPlan, BytesAreTheClosedForm) {
  Random random(13);
  for (int i = 0; i < 100; ++i) {
    const Problem problem = random_problem(random, 1, 8);
    const Settings once = {{"dedup", "true"}};
    const Schedule schedule = make_schedule(problem, {.deduplicate = true});
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
      for_each_member(mask.visible_keys(t), [&](int64_t k) { seen.insert({k, owner[t]}); });
    }
    int64_t x = 0, e = 0;
    for (int64_t t = 0; t < problem.tokens(); ++t) x += owner[t] != home[t];
    for (const auto& [key, rank] : seen) e += rank != owner[key] && rank != home[key];

    const AttentionShape& shape = problem.shape;
    const int64_t hq = shape.query_heads, h = shape.kv_heads, d = shape.head_dim;
    const int64_t expected = bytes_of(shape.dtype) * (x * 4 * (hq + h) * d + e * 6 * h * d) +
                             bytes_of(accumulation_dtype(shape.dtype)) * x * 3 * hq;
    ASSERT_EQ(planned_bytes(plan_of(problem, once), shape), expected) << "batch " << i;
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
    const Plan plan = plan_of(problem, {{"arm", arm}, {"dedup", "true"}});
    EXPECT_EQ(violations(problem, plan), "");
    steps[arm] = plan.forward.steps;
    bytes.insert(planned_bytes(plan.forward, plan, problem.shape));
  }
  EXPECT_EQ(bytes.size(), 1u);
  const int32_t degree = make_schedule(problem, {.deduplicate = true}).degree;
  EXPECT_EQ(steps["conflict_free"], degree + 3);
  EXPECT_EQ(steps["coalesced"], (degree + 15) / 16 + 3);
  EXPECT_EQ(steps["reshuffle_overlapped"], steps["coalesced"]);
  EXPECT_LE(steps["pipelined"], degree + 3);
  // Tokens move, then come all transfers, then attention over what each sub-stage brought, and
  // tokens move back.
  EXPECT_GT(steps["base"], 4);
  EXPECT_LE(steps["base"], degree + 3);
}

// Sixteen units, four on each of four ranks, in stages of two transfers.
TEST(FcpPlan, OverlappedTokensMoveWhenTheyAreDue) {
  const Problem problem = problem_of({.document_lengths = {256, 256}}, 4);
  const Plan at_once = plan_of(problem, {{"arm", "coalesced"}, {"coalesce", "2"}});
  const Plan when_due = plan_of(problem, {{"coalesce", "2"}});
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
  EXPECT_EQ(violations(problem, plan), "");
  for (size_t u = 0; u < schedule.units.units.size(); ++u) {
    EXPECT_TRUE(contains_all(plan.token_sets[plan.home[schedule.rank_of[u]]],
                             schedule.units.units[u].tokens));
  }
  for (Tensor tensor : {Tensor::q, Tensor::o, Tensor::d_o, Tensor::dq}) {
    EXPECT_TRUE(steps_of(plan.forward, tensor).empty());
    EXPECT_TRUE(steps_of(plan.backward, tensor).empty());
  }
}

// The most K,V tokens that one rank sends or receives.
int64_t most_traffic(const Schedule& schedule) {
  std::map<int32_t, int64_t> sent, received;
  int64_t most = 0;
  for (const Transfer& t : schedule.needs.transfers) {
    const int64_t size = schedule.sets.size_of(t.tokens);
    most = std::max({most, sent[t.from] += size, received[t.to] += size});
  }
  return most;
}

TEST(FcpPlan, PermutationEvensTraffic) {
  const Problem problem = problem_of({.document_lengths = {4096, 2048, 1024, 1024}}, 8);
  EXPECT_LT(most_traffic(make_schedule(problem, {.permute = true, .deduplicate = true})),
            most_traffic(make_schedule(problem, {.deduplicate = true})));
}

// Fewer bytes must not make stages of uneven work: that was the case when the chunks of a unit
// travelled apart, of which those that all queries see bring twice the work of the others.
TEST(FcpPlan, DeduplicatedTransfersOfASequenceBringEqualWork) {
  const Problem problem = problem_of({.document_lengths = {1024}}, 8);
  FcpOptions options{.deduplicate = true, .reshuffle = false};
  options.block_tokens = 128;
  options.distribute.delta = 1;
  const Schedule whole = make_schedule(
      problem, {.block_tokens = 128, .distribute = options.distribute, .reshuffle = false});
  const Schedule once = make_schedule(problem, options);
  EXPECT_EQ(once.needs.transfers.size(), whole.needs.transfers.size());
  EXPECT_EQ(once.degree, whole.degree);
  int64_t bytes = 0, bytes_of_whole = 0;
  for (const Transfer& t : once.needs.transfers) {
    EXPECT_EQ(t.pairs, once.needs.transfers.front().pairs);
    bytes += once.sets.size_of(t.tokens);
  }
  for (const Transfer& t : whole.needs.transfers) bytes_of_whole += whole.sets.size_of(t.tokens);
  EXPECT_EQ(4 * bytes, 3 * bytes_of_whole);
}

TEST(FcpPlan, BlocksAreChosenForTheNetwork) {
  Problem problem = cpbench::problem_of(Batch{.document_lengths = {1 << 20}}, 8, {64, 8});
  problem.shape.dtype = Dtype::bfloat16;
  EXPECT_EQ(block_for_overlap(problem), 0);
  EXPECT_EQ(block_tokens(problem, {}), 4096);
  problem.cluster.peak_flops_per_second = 148e12;  // the paper's GPU-X, and its 2K
  problem.cluster.intra_node_bytes_per_second = 25e9;
  EXPECT_EQ(block_for_overlap(problem), 2048);
  EXPECT_EQ(block_tokens(problem, {}), 4096);
  problem.cluster.intra_node_bytes_per_second = 5e9;
  EXPECT_EQ(block_tokens(problem, {}), 8192);
  problem.cluster.intra_node_bytes_per_second = 1e9;
  EXPECT_EQ(block_tokens(problem, {}), 16384);  // an eighth of a rank's tokens
}

TEST(FcpPlan, UlyssesTransfersStayOnOneRail) {
  const Problem problem = problem_of({.document_lengths = {512, 100, 300, 7, 105}}, 8);
  const Plan plan = plan_of(problem, {{"ulysses", "2"}});
  EXPECT_EQ(violations(problem, plan), "");
  for (const Pass* pass : {&plan.forward, &plan.backward}) {
    for (const Send& s : pass->sends) {
      const int64_t from = plan.rank_sets[s.from].front().begin;
      const int64_t to = plan.rank_sets[s.to].front().begin;
      EXPECT_TRUE(from / 2 == to / 2 || from % 2 == to % 2) << from << " to " << to;
      EXPECT_EQ(s.heads.size(), 4);
    }
  }
  EXPECT_EQ(refusal("fcp", problem, {{"ulysses", "4"}}),
            "ulysses=4 must divide the ranks of a node (8) and the KV heads (2)");
}

TEST(FcpPlan, RefusesWhatDoesNotFit) {
  const Problem problem = problem_of({.document_lengths = {64}}, 4);
  EXPECT_EQ(refusal("fcp", problem, {{"block", "32"}}),
            "a unit of 32 tokens fits on no rank: each may have 18 of 64 tokens (4 ranks, delta "
            "0.125); block <= 2 or delta >= 2 is sure to work");
  EXPECT_EQ(violations(problem, plan_of(problem, {{"block", "32"}, {"delta", "2"}})), "");
  EXPECT_EQ(violations(problem, plan_of(problem, {{"block", "2"}})), "");
}

TEST(FcpPlan, PropertiesSayHowEvenItIs) {
  const Problem problem = problem_of({.document_lengths = {512, 100, 300, 7, 105}}, 4);
  const Properties found = properties_of("fcp", problem);
  EXPECT_EQ(found.at("max_degree"), make_schedule(problem, {}).degree);
  EXPECT_EQ(found.at("stages"), make_schedule(problem, {}).stages);
  EXPECT_GE(found.at("compute_imbalance"), 1);
  EXPECT_LE(found.at("compute_imbalance"), 1.05);
  EXPECT_LE(found.at("token_imbalance"), 1.125);
  EXPECT_GE(found.at("send_imbalance_undeduplicated"), 1);
}

}  // namespace
}  // namespace cpbench::fcp
