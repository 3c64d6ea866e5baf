// Attributes the time of small timelines whose parts can be computed by hand.
#include "harness/measure/attribution.h"

#include <gtest/gtest.h>

#include "harness/measure/metrics.h"
#include "harness/plan/builder.h"

namespace cpbench {
namespace {

double sum_of(const TimeParts& p) {
  return p.ideal + p.kernel_inefficiency + p.imbalance + p.exposed_communication + p.padding +
         p.copies + p.layer + p.other;
}

// Two ranks of 300 and 500 pairs, 10 FLOPs each, at a peak of 1000: 3 s and 5 s, the mean 4 s.
// Rank 1 ends last, after 20 s.
Result two_ranks() {
  Result result;
  result.spec.ranks = 2;
  result.spec.passes = Passes::forward;
  result.spec.shape = {.query_heads = 1, .kv_heads = 1, .head_dim = 3, .value_head_dim = 2};
  result.peak_flops_per_second = 1000;
  PackResult pack;
  pack.batch.document_lengths = {40};
  pack.plan.ranks = 2;
  pack.summary.pairs_per_rank = {300, 500};
  pack.timeline.ranks = 2;
  pack.timeline.iterations = 1;
  pack.timeline.seconds = {18, 20};
  pack.timeline.events = {
      {0, 0, 0, Activity::attention, 0, 18},
      {1, 0, 0, Activity::layer, 0, 1},
      {1, 0, 0, Activity::copy, 1, 2},
      {1, 0, 0, Activity::wait, 2, 6},        // 1 s with bytes in flight, 3 s without
      {1, 0, 1, Activity::attention, 6, 13},  // 2 s more than its FLOPs
      {1, 0, 1, Activity::merge, 13, 13.5},
      {1, 0, 1, Activity::send, 13.5, 14},
      {1, 0, 1, Activity::wait, 14, 18},  // 2.5 s with two overlapping transfers in flight
      {1, 0, 1, Activity::attention, 19, 20},
      {1, 0, 0, Activity::transfer, 5, 7},
      {1, 0, 1, Activity::transfer, 13, 15},
      {1, 0, 1, Activity::transfer, 14.5, 16.5},
      {0, 0, 1, Activity::transfer, 0, 30},  // of another rank
  };
  result.packs = {pack};
  return result;
}

TEST(Attribution, PartsByHandSumToTheWhole) {
  const TimeParts parts = attribute_time(two_ranks()).value();
  EXPECT_DOUBLE_EQ(parts.total, 20);
  EXPECT_DOUBLE_EQ(parts.ideal, 4);
  EXPECT_DOUBLE_EQ(parts.kernel_inefficiency, 8 - 5);
  EXPECT_DOUBLE_EQ(parts.imbalance, 5 - 4 + 3 + 1.5);
  EXPECT_DOUBLE_EQ(parts.exposed_communication, 1 + 2.5 + 0.5);
  EXPECT_DOUBLE_EQ(parts.padding, 0);
  EXPECT_DOUBLE_EQ(parts.copies, 1.5);
  EXPECT_DOUBLE_EQ(parts.layer, 1);
  EXPECT_DOUBLE_EQ(parts.other, 1);
  EXPECT_DOUBLE_EQ(sum_of(parts), 20);
}

TEST(Attribution, WithoutTransfersAllWaitingIsCommunication) {
  Result result = two_ranks();
  std::erase_if(result.packs[0].timeline.events,
                [](const Event& e) { return e.activity == Activity::transfer; });
  const TimeParts parts = attribute_time(result).value();
  EXPECT_DOUBLE_EQ(parts.exposed_communication, 8.5);
  EXPECT_DOUBLE_EQ(parts.imbalance, 1);
  EXPECT_DOUBLE_EQ(sum_of(parts), 20);
}

TEST(Attribution, PaddingTakesItsShareOfTheBytes) {
  // Rank 1 gathers 6 tokens in a block of 8, so a quarter of what it receives is padding.
  Result result = two_ranks();
  PackResult& pack = result.packs[0];
  Problem problem{{{10}}, result.spec.shape, {.gpus_per_node = 2}};
  PlanBuilder b(problem);
  b.home(0, normalise({{0, 6}}));
  b.home(1, normalise({{6, 10}}));
  PassBuilder f = b.forward();
  const int32_t collective = f.collective(CollectiveKind::all_gather, 8);
  for (int32_t rank : {0, 1}) {
    f.multicast(0, rank, b.all_ranks(), Tensor::kv, b.home_of(rank), {}, collective);
    f.attend(1, rank, b.home_of(rank), b.home_of(0));
  }
  f.attend(1, 1, b.home_of(1), b.home_of(1));
  pack.plan = b.finish();
  const TimeParts parts = attribute_time(result).value();
  EXPECT_DOUBLE_EQ(parts.padding, 1);
  EXPECT_DOUBLE_EQ(parts.exposed_communication, 3);
  EXPECT_DOUBLE_EQ(sum_of(parts), 20);
}

TEST(Attribution, PacksAddUp) {
  Result result = two_ranks();
  result.packs.push_back(result.packs[0]);
  result.packs[1].timeline.events = {{0, 0, 0, Activity::attention, 0, 3}};
  const TimeParts parts = attribute_time(result).value();
  EXPECT_DOUBLE_EQ(parts.total, 23);
  EXPECT_DOUBLE_EQ(parts.ideal, 8);
  EXPECT_DOUBLE_EQ(parts.imbalance,
                   5.5 - 1);  // the last rank of the second pack has less work than the mean
  EXPECT_DOUBLE_EQ(sum_of(parts), 23);
}

TEST(Attribution, NeedsATraceAndAPeak) {
  Result result = two_ranks();
  result.peak_flops_per_second = 0;
  EXPECT_FALSE(attribute_time(result));
  result = two_ranks();
  result.packs[0].timeline.events.clear();
  EXPECT_FALSE(attribute_time(result));
  result.packs.clear();
  EXPECT_FALSE(attribute_time(result));
}

TEST(Attribution, MetricsAreItsParts) {
  const Result result = two_ranks();
  double sum = 0;
  for (const MetricValue& metric : evaluate_metrics(result)) {
    if (metric.name.starts_with("time_")) sum += metric.value;
  }
  EXPECT_DOUBLE_EQ(sum, 2 * 20);  // the parts, and time_total
}

TEST(Attribution, ModuleMfuCountsTheLayer) {
  Result result = two_ranks();
  result.spec.shape.hidden_size = 4;
  result.spec.shape.ffn_size = 8;
  const auto value = [&](const char* name) { return find_metric(name).value(result); };
  const double layer = layer_flops_per_token(result.spec.shape) * 40;
  EXPECT_DOUBLE_EQ(value("mfu").value(), 8000.0 / (2 * 1000 * 20));
  EXPECT_DOUBLE_EQ(value("module_mfu").value(), (8000 + layer) / (2 * 1000 * 20));
  result.spec.passes = Passes::both;
  EXPECT_DOUBLE_EQ(value("module_mfu").value(), (3.5 * 8000 + 3 * layer) / (2 * 1000 * 20));
  std::erase_if(result.packs[0].timeline.events,
                [](const Event& e) { return e.activity == Activity::layer; });
  EXPECT_FALSE(value("module_mfu"));
}

TEST(Attribution, ASimulationHasNoAccuracy) {
  Result result = two_ranks();
  EXPECT_TRUE(find_metric("max_error_output").value(result));
  result.simulated = true;
  EXPECT_FALSE(find_metric("max_error_output").value(result));
}

}  // namespace
}  // namespace cpbench
