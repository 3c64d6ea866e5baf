// Divides the time of small timelines whose parts can be computed by hand.
#include "harness/measure/attribution.h"

#include <gtest/gtest.h>

#include "harness/measure/metrics.h"
#include "harness/plan/builder.h"

namespace cpbench {
namespace {

double sum_of(const TimeParts& p) {
  return p.ideal + p.kernel_inefficiency + p.imbalance + p.exposed_communication + p.padding +
         p.copies + p.layer + p.host + p.other;
}

// Two ranks of 300 and 500 pairs, 10 FLOPs each, at a peak of 1000: 3 s and 5 s, the mean 4 s. The
// iteration takes 20 s; with work alone rank 1 needs 16 s, with exchanges alone 6 s.
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
  pack.timeline.events = {{0, 0, 0, Activity::attention, 0, 18}, {1, 0, 0, Activity::layer, 0, 1}};
  pack.timeline.portions = {.work_seconds = {9, 16},
                            .attention_seconds = {4, 8},
                            .copy_seconds = {1, 2},
                            .layer_seconds = {0.5, 1},
                            .host_seconds = {0.5, 1},
                            .overhead_seconds = {0, 0.5},
                            .exchange_seconds = {6, 5}};
  result.packs = {pack};
  return result;
}

TEST(Attribution, PartsByHandSumToTheWhole) {
  const TimeParts parts = attribute_time(two_ranks()).value();
  EXPECT_DOUBLE_EQ(parts.total, 20);
  EXPECT_DOUBLE_EQ(parts.ideal, 4);
  EXPECT_DOUBLE_EQ(parts.kernel_inefficiency, 6 - 4);
  EXPECT_DOUBLE_EQ(parts.copies, 1.5);
  EXPECT_DOUBLE_EQ(parts.layer, 0.75);
  EXPECT_DOUBLE_EQ(parts.host, 0.75);
  EXPECT_DOUBLE_EQ(parts.other, 0.25);
  EXPECT_DOUBLE_EQ(parts.imbalance, 16 - 9.25);
  EXPECT_DOUBLE_EQ(parts.exposed_communication, 20 - 16);
  EXPECT_DOUBLE_EQ(parts.padding, 0);
  EXPECT_DOUBLE_EQ(sum_of(parts), 20);
  EXPECT_DOUBLE_EQ(parts.overlap().value(), (16.0 + 6 - 20) / 6);
}

TEST(Attribution, PaddingTakesItsShareOfTheBytes) {
  // Each rank sends a block of 8 tokens that contains 6 or 4, so 6 of 16 tokens are padding.
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
  EXPECT_DOUBLE_EQ(parts.padding, 4 * 6.0 / 16);
  EXPECT_DOUBLE_EQ(parts.exposed_communication, 4 - parts.padding);
  EXPECT_DOUBLE_EQ(sum_of(parts), 20);
}

TEST(Attribution, TheMedianIterationIsDivided) {
  Result result = two_ranks();
  Timeline& timeline = result.packs[0].timeline;
  timeline.iterations = 3;
  timeline.seconds = {19, 21, 18, 20, 17, 18};
  PortionTimes& portions = timeline.portions;
  for (auto times : PortionTimes::members()) {
    const double first = (portions.*times)[0], second = (portions.*times)[1];
    portions.*times = {first + 9, second + 9, first, second, first / 2, second / 2};
  }
  const TimeParts parts = attribute_time(result).value();
  EXPECT_DOUBLE_EQ(parts.imbalance, 16 - 9.25);
  EXPECT_DOUBLE_EQ(parts.exchange_only, 6);
  EXPECT_DOUBLE_EQ(sum_of(parts), 20);
}

TEST(Attribution, NoiseMakesNoPartNegative) {
  Result slow_work = two_ranks();  // work alone takes longer than the iteration
  slow_work.packs[0].timeline.portions.work_seconds = {9, 22};
  const TimeParts a = attribute_time(slow_work).value();
  EXPECT_DOUBLE_EQ(a.exposed_communication, 0);
  EXPECT_DOUBLE_EQ(a.imbalance, 20 - 9.25);
  EXPECT_DOUBLE_EQ(sum_of(a), 20);
  Result busy = two_ranks();  // what ranks did was traced in another, slower iteration
  busy.packs[0].timeline.portions.attention_seconds = {20, 20};
  const TimeParts b = attribute_time(busy).value();
  EXPECT_DOUBLE_EQ(b.imbalance, 0);
  EXPECT_DOUBLE_EQ(b.copies, 1.5 * 16 / 23.25);
  EXPECT_DOUBLE_EQ(sum_of(b), 20);
  Result fast = two_ranks();  // kernels are faster than the peak
  fast.peak_flops_per_second = 100;
  const TimeParts c = attribute_time(fast).value();
  EXPECT_DOUBLE_EQ(c.ideal, 6);
  EXPECT_DOUBLE_EQ(c.kernel_inefficiency, 0);
  EXPECT_DOUBLE_EQ(sum_of(c), 20);
}

TEST(Attribution, PacksAddUp) {
  Result result = two_ranks();
  result.packs.push_back(result.packs[0]);
  Timeline& second = result.packs[1].timeline;
  second.seconds = {7, 6};
  second.portions = {.work_seconds = {6, 6},
                     .attention_seconds = {5, 6},
                     .copy_seconds = {0, 0},
                     .layer_seconds = {0, 0},
                     .host_seconds = {0, 0},
                     .overhead_seconds = {0, 0},
                     .exchange_seconds = {2, 3}};
  const TimeParts parts = attribute_time(result).value();
  EXPECT_DOUBLE_EQ(parts.total, 27);
  EXPECT_DOUBLE_EQ(parts.ideal, 8);
  EXPECT_DOUBLE_EQ(parts.imbalance, 6.75 + 0.5);
  EXPECT_DOUBLE_EQ(parts.exposed_communication, 4 + 1);
  EXPECT_DOUBLE_EQ(parts.overlap().value(), (22.0 + 9 - 27) / 9);
  EXPECT_DOUBLE_EQ(sum_of(parts), 27);
}

TEST(Attribution, WithoutExchangesThereIsNoOverlap) {
  Result result = two_ranks();
  result.packs[0].timeline.portions.exchange_seconds = {0, 0};
  EXPECT_FALSE(attribute_time(result)->overlap());
  EXPECT_FALSE(find_metric("overlap").value(result));
}

TEST(Attribution, NeedsPortionsAndAPeak) {
  Result result = two_ranks();
  result.peak_flops_per_second = 0;
  EXPECT_FALSE(attribute_time(result));
  result = two_ranks();
  result.packs[0].timeline.portions = {};
  EXPECT_FALSE(attribute_time(result));
  result.packs.clear();
  EXPECT_FALSE(attribute_time(result));
}

TEST(Attribution, LayersAreWeights) {
  Result result = two_ranks();
  const double total = attribute_time(result)->total, ideal = attribute_time(result)->ideal;
  result.packs.push_back(result.packs.front());
  result.packs[0].layers = 3;
  result.packs[1].layers = 5;
  EXPECT_DOUBLE_EQ(attribute_time(result)->total, 8 * total);
  EXPECT_DOUBLE_EQ(attribute_time(result)->ideal, 8 * ideal);
}

TEST(Attribution, MetricsAreItsParts) {
  const Result result = two_ranks();
  double sum = 0;
  for (const MetricValue& metric : evaluate_metrics(result)) {
    if (metric.name.starts_with("time_")) sum += metric.value;
  }
  EXPECT_DOUBLE_EQ(sum, 2 * 20);  // the parts, and time_total
  EXPECT_DOUBLE_EQ(find_metric("compute_only_seconds").value(result).value(), 16);
  EXPECT_DOUBLE_EQ(find_metric("exchange_only_seconds").value(result).value(), 6);
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
