// Metrics of a result whose numbers are small enough to compute by hand.
#include "harness/measure/metrics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "harness/measure/gates.h"
#include "harness/measure/samples.h"
#include "harness/plan/error_of_for_tests.h"

namespace cpbench {
namespace {

// Two ranks and one document of 4 tokens that is cut in the middle; 2 heads of dim 8 and value
// dim 4. There are 10 visible pairs per head, of which rank 0 attends 3 and rank 1 the other 7.
Result two_ranks() {
  Result result;
  result.spec.ranks = 2;
  result.spec.passes = Passes::both;
  result.spec.shape = {.query_heads = 2, .kv_heads = 2, .head_dim = 8, .value_head_dim = 4};
  PackResult pack;
  pack.batch.document_lengths = {4};
  pack.plan.ranks = 2;
  pack.plan.tokens = 4;
  pack.plan.home = {pack.plan.token_sets.intern(Range{0, 2}),
                    pack.plan.token_sets.intern(Range{2, 4})};
  PlanSummary& summary = pack.summary;
  summary.forward = {.steps = 2,
                     .attends = 3,
                     .sends = 1,
                     .bytes_out = {96, 0},
                     .bytes_in = {0, 96},
                     .wire_bytes = 96,
                     .inter_node_bytes = 0};
  summary.backward = {.steps = 3,
                      .attends = 3,
                      .sends = 2,
                      .bytes_out = {96, 192},
                      .bytes_in = {192, 96},
                      .wire_bytes = 288,
                      .inter_node_bytes = 192};
  summary.useful_bytes = 192;
  summary.pairs_per_rank = {6, 14};
  summary.tokens_per_rank = {2, 2};
  summary.peak_bytes = {1000, 3000};
  pack.planning_seconds = 0.5;
  pack.check_seconds = 0.25;
  pack.compile_seconds = 0.125;
  Timeline& timeline = pack.timeline;
  timeline.ranks = 2;
  timeline.iterations = 3;
  timeline.seconds = {1, 2, 4, 3, 2.5, 1};
  timeline.attention_seconds = {0.5, 1, 1, 1.5, 1, 2};
  timeline.overhead_seconds = {0, 0.5, 0, 0.25, 0, 0.6};
  timeline.bytes_sent = {0, 192, 192, 0};
  timeline.messages = {0, 2, 1, 0};
  timeline.peak_bytes = {900, 2800};
  timeline.events = {{0, 0, 0, Activity::attention, 0, 1},
                     {1, 0, 0, Activity::attention, 0, 2},
                     {0, 1, 0, Activity::wait, 1, 4}};
  timeline.accuracy = {.max_error_output = 1e-7,
                       .max_error_gradient = 2e-7,
                       .tolerance_output = 1e-6,
                       .tolerance_gradient = 1e-6};
  result.packs = {pack};
  result.peak_flops_per_second = 1000;
  return result;
}

double value(const Result& result, const std::string& name) {
  const auto found = find_metric(name).value(result);
  EXPECT_TRUE(found.has_value()) << name;
  return found.value_or(-1);
}
bool applies(const Result& result, const std::string& name) {
  return find_metric(name).value(result).has_value();
}

TEST(Metrics, flops_follow_the_convention) {
  Result result = two_ranks();
  EXPECT_DOUBLE_EQ(value(result, "attention_flops"), 20 * 2 * (8 + 4) * 3.5);
  result.spec.passes = Passes::forward;
  EXPECT_DOUBLE_EQ(value(result, "attention_flops"), 20 * 2 * (8 + 4));
  result.spec.shape.value_head_dim = 8;  // then 4 D per pair
  EXPECT_DOUBLE_EQ(value(result, "attention_flops"), 20 * 4 * 8);
}

TEST(Metrics, times_are_medians_of_the_slowest_rank) {
  const Result result = two_ranks();  // slowest per iteration: 2, 4, 2.5
  EXPECT_DOUBLE_EQ(value(result, "iteration_seconds"), 2.5);
  EXPECT_DOUBLE_EQ(value(result, "attention_seconds"), 1.5);  // 1, 1.5, 2
  EXPECT_DOUBLE_EQ(value(result, "tflops_per_rank"), 1680 / 2.5 / 2 / 1e12);
  EXPECT_DOUBLE_EQ(value(result, "mfu"), 1680 / 2.5 / 2 / 1000);
  EXPECT_DOUBLE_EQ(value(result, "throughput"), 4 / 2.5);
  EXPECT_DOUBLE_EQ(value(result, "overhead_share"), 1.35 / 13.5);
  EXPECT_DOUBLE_EQ(value(result, "attention_share"), 3.0 / 8);
  EXPECT_DOUBLE_EQ(value(result, "wait_share"), 3.0 / 8);
  EXPECT_FALSE(applies(result, "iteration_seconds_low"));  // three samples give no interval
}

TEST(Metrics, overhead_of_traced_iterations_is_no_share_of_graphs) {
  Result result = two_ranks();
  result.spec.graph = true;
  EXPECT_FALSE(applies(result, "overhead_share"));
  EXPECT_TRUE(applies(result, "attention_share"));  // of the traced iteration
}

TEST(Metrics, bytes_and_balance) {
  const Result result = two_ranks();
  EXPECT_EQ(value(result, "wire_bytes"), 384);
  EXPECT_EQ(value(result, "counted_bytes"), 384);
  EXPECT_EQ(value(result, "useful_bytes"), 192);
  EXPECT_EQ(value(result, "inter_node_bytes"), 192);
  EXPECT_EQ(value(result, "critical_bytes"), 96 + 192);
  EXPECT_DOUBLE_EQ(value(result, "compute_imbalance"), 1.4);
  EXPECT_DOUBLE_EQ(value(result, "token_imbalance"), 1);
  EXPECT_DOUBLE_EQ(value(result, "bytes_out_imbalance"), 1);
  EXPECT_EQ(value(result, "steps"), 5);
  EXPECT_EQ(value(result, "peak_bytes"), 3000);
  EXPECT_EQ(value(result, "measured_peak_bytes"), 2800);
  // Gathering all KV: 1 other rank x 4 tokens x 2 heads x (8 + 4) x 4 bytes, and the same for dKV.
  EXPECT_DOUBLE_EQ(value(result, "communication_saving"), 1 - 384.0 / (2 * 4 * 2 * 12 * 4));
}

TEST(Metrics, packs_add_up_and_rates_differ_from_their_mean) {
  Result result = two_ranks();
  result.packs.push_back(result.packs.front());
  PackResult& second = result.packs.back();
  second.summary.pairs_per_rank = {10, 10};
  second.summary.peak_bytes = {5000, 1};
  second.timeline.seconds = {10, 1, 10, 1, 10, 1};
  EXPECT_EQ(value(result, "wire_bytes"), 768);
  EXPECT_EQ(value(result, "peak_bytes"), 5000);
  EXPECT_DOUBLE_EQ(value(result, "compute_imbalance"), (14.0 + 10) / 20);
  EXPECT_DOUBLE_EQ(value(result, "iteration_seconds"), 12.5);
  EXPECT_DOUBLE_EQ(value(result, "tflops_per_rank"), 3360 / 12.5 / 2 / 1e12);
  EXPECT_DOUBLE_EQ(value(result, "tflops_per_rank_mean"),
                   (1680 / 2.5 + 1680 / 10.0) / 2 / 2 / 1e12);
}

TEST(Metrics, no_mfu_when_oversubscribed_or_without_a_peak) {
  Result result = two_ranks();
  result.oversubscribed = true;
  EXPECT_FALSE(applies(result, "mfu"));
  result.oversubscribed = false;
  result.peak_flops_per_second = 0;
  EXPECT_FALSE(applies(result, "mfu"));
}

TEST(Metrics, a_plan_that_did_not_run_has_no_times) {
  Result result = two_ranks();
  result.packs.front().timeline = {};
  for (const char* name : {"iteration_seconds", "counted_bytes", "compile_seconds", "mfu",
                           "max_error_output", "measured_peak_bytes", "overhead_share"}) {
    EXPECT_FALSE(applies(result, name)) << name;
  }
  EXPECT_TRUE(applies(result, "wire_bytes"));
  result.packs.clear();
  EXPECT_TRUE(evaluate_metrics(result).empty());
}

// Two masks of 3 and 5 layers on one layout: each pack counts as often as there are layers.
TEST(Metrics, layers_are_weights) {
  Result result = two_ranks();
  const double bytes = value(result, "wire_bytes"), seconds = value(result, "iteration_seconds");
  const double mfu = value(result, "mfu");
  result.packs.push_back(result.packs.front());
  result.packs[0].layers = 3;
  result.packs[1].layers = 5;
  EXPECT_DOUBLE_EQ(value(result, "wire_bytes"), 8 * bytes);
  EXPECT_DOUBLE_EQ(value(result, "iteration_seconds"), 8 * seconds);
  EXPECT_DOUBLE_EQ(value(result, "mfu"), mfu);
}

TEST(Metrics, one_rank_without_bytes) {
  Result result = two_ranks();
  result.spec.ranks = 1;
  PlanSummary& summary = result.packs.front().summary;
  summary.pairs_per_rank = {20};
  summary.forward = {.steps = 1,
                     .attends = 1,
                     .sends = 0,
                     .bytes_out = {0},
                     .bytes_in = {0},
                     .wire_bytes = 0,
                     .inter_node_bytes = 0};
  summary.backward = summary.forward;
  EXPECT_FALSE(applies(result, "communication_saving"));
  EXPECT_FALSE(applies(result, "bytes_in_imbalance"));
  EXPECT_DOUBLE_EQ(value(result, "compute_imbalance"), 1);
}

TEST(Metrics, table_is_complete_and_unique) {
  std::set<std::string> names;
  for (const Metric& metric : metrics()) {
    EXPECT_TRUE(names.insert(metric.name).second) << metric.name;
    EXPECT_FALSE(metric.description.empty() || metric.unit.empty()) << metric.name;
    EXPECT_TRUE(metric.better == "higher" || metric.better == "lower" || metric.better == "none");
    EXPECT_NE(metric.value, nullptr);
  }
}

TEST(Metrics, unknown_name_suggests_the_nearest) {
  EXPECT_NE(error_of([] { find_metric("wire_byte"); }).find("wire_bytes"), std::string::npos);
}

TEST(Gates, all_hold_for_a_good_result) {
  Result result = two_ranks();
  result.metrics = evaluate_metrics(result);
  EXPECT_EQ(failed_gate(result), "");
}

TEST(Gates, bad_G1_more_than_the_peak) {
  Result result = two_ranks();
  result.peak_flops_per_second = 100;
  result.metrics = evaluate_metrics(result);
  EXPECT_EQ(failed_gate(result).substr(0, 2), "G1");
}

TEST(Gates, bad_G2_split_document_without_bytes) {
  Result result = two_ranks();
  PackResult& pack = result.packs.front();
  pack.summary.forward.wire_bytes = pack.summary.backward.wire_bytes = 0;
  pack.timeline = {};
  EXPECT_EQ(failed_gate(result).substr(0, 2), "G2");
  pack.batch.document_lengths = {2, 2};  // each document is on one rank, so nothing must travel
  EXPECT_EQ(failed_gate(result), "");
  pack.batch.document_lengths = {4};
  pack.batch.cached_tokens = {2};  // the new half sees the cached one
  EXPECT_EQ(failed_gate(result).substr(0, 2), "G2");
  pack.batch.mask = Mask::sliding_window;
  pack.batch.window = 2;
  EXPECT_EQ(failed_gate(result).substr(0, 2), "G2");
  pack.batch.cached_tokens = {3};  // the new token sees itself and one on the same rank
  EXPECT_EQ(failed_gate(result), "");
}

TEST(Gates, bad_G3_counted_is_not_planned) {
  Result result = two_ranks();
  result.packs.front().timeline.bytes_sent[1] -= 1;
  EXPECT_EQ(failed_gate(result), "G3: counted 383 bytes, but planned 384");
}

TEST(Gates, bad_G4_wrong_numbers) {
  Result result = two_ranks();
  result.packs.front().timeline.accuracy.max_error_gradient = std::nan("");
  EXPECT_EQ(failed_gate(result), "G4: gradient error nan exceeds 1e-06");
  result.packs.front().timeline.accuracy.max_error_output = 1;
  EXPECT_EQ(failed_gate(result), "G4: output error 1 exceeds 1e-06");
}

TEST(Samples, median_and_interval) {
  EXPECT_DOUBLE_EQ(median({3, 1, 2}), 2);
  EXPECT_DOUBLE_EQ(median({4, 1, 2, 3}), 2.5);
  EXPECT_FALSE(median_interval({1, 2, 3, 4, 5})
                   .has_value());  // five samples miss the median with 2 / 2^5 > 5%
  EXPECT_EQ(median_interval({6, 5, 4, 3, 2, 1}), (std::pair{1.0, 6.0}));
  // For n = 20 the 95% interval is known to be from the 6th to the 15th order statistic.
  std::vector<double> twenty;
  for (int i = 1; i <= 20; ++i) twenty.push_back(i);
  EXPECT_EQ(median_interval(twenty), (std::pair{6.0, 15.0}));
}

// Four ranks in pairs, then all in one ring, and then in pairs again.
TEST(Metrics, GroupChangesAreCountedOverThePacks) {
  const auto ring_of = [](const std::vector<std::vector<int32_t>>& groups) {
    PackResult pack;
    pack.plan.ranks = 4;
    pack.plan.tokens = 4;
    for (int32_t r = 0; r < 4; ++r)
      pack.plan.home.push_back(pack.plan.token_sets.intern({r, r + 1}));
    for (const std::vector<int32_t>& group : groups) {
      for (size_t i = 0; i < group.size(); ++i) {
        const int64_t from = group[i], to = group[(i + 1) % group.size()];
        pack.plan.forward.sends.push_back({.from = pack.plan.rank_sets.intern({from, from + 1}),
                                           .to = pack.plan.rank_sets.intern({to, to + 1}),
                                           .tensor = Tensor::kv,
                                           .tokens = pack.plan.home[from],
                                           .heads = {}});
      }
    }
    return pack;
  };
  Result result;
  result.spec.ranks = 4;
  const std::vector<std::vector<int32_t>> pairs = {{0, 1}, {2, 3}}, all = {{0, 1, 2, 3}};
  result.packs = {ring_of(pairs)};
  EXPECT_EQ(find_metric("communicators").value(result), 2);
  EXPECT_EQ(find_metric("group_changes").value(result), std::nullopt);
  result.packs.push_back(ring_of(all));
  result.packs.push_back(ring_of(pairs));
  EXPECT_EQ(find_metric("communicators").value(result), 3);
  EXPECT_EQ(find_metric("group_changes").value(result), 3);  // the ring once, then both pairs
  EXPECT_EQ(find_metric("communicator_seconds").value(result), std::nullopt);
  for (PackResult& pack : result.packs) pack.communicator_seconds = 0.25;
  EXPECT_EQ(find_metric("communicator_seconds").value(result), 0.75);
}

}  // namespace
}  // namespace cpbench
