#include "workloads/distributions.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>

#include "harness/presets/files_for_tests.h"
#include "workloads/zipf.h"

namespace cpbench {
namespace {

std::vector<int64_t> draw(const std::string& text, int count, uint64_t seed = 1) {
  auto stream = make_synthetic(text).factory(seed);
  std::vector<int64_t> lengths(count);
  std::generate(lengths.begin(), lengths.end(), [&] { return stream->next(); });
  return lengths;
}

double mean_of(const std::vector<int64_t>& lengths) {
  return std::accumulate(lengths.begin(), lengths.end(), 0.0) / lengths.size();
}

int64_t median_of(std::vector<int64_t> lengths) {
  std::nth_element(lengths.begin(), lengths.begin() + lengths.size() / 2, lengths.end());
  return lengths[lengths.size() / 2];
}

void expect_bounds(const std::vector<int64_t>& lengths, int64_t low, int64_t high) {
  auto [smallest, largest] = std::minmax_element(lengths.begin(), lengths.end());
  EXPECT_GE(*smallest, low);
  EXPECT_LE(*largest, high);
}

TEST(DistributionsTest, EveryRowWorksWithItsDefaultsAndItsUsage) {
  for (const Distribution& d : distributions()) {
    EXPECT_EQ(draw(d.name, 1000), draw(d.usage(), 1000)) << d.name;
    EXPECT_FALSE(d.description.empty());
    for (const Parameter& p : d.parameters) EXPECT_FALSE(p.help.empty()) << d.name << p.name;
    EXPECT_EQ(draw(d.name, 100, 5), draw(d.name, 100, 5));
  }
}

TEST(DistributionsTest, Lognormal) {
  auto lengths = draw("lognormal:mean=16K,sigma=0.7,min=1,max=16M", 200000);
  EXPECT_NEAR(mean_of(lengths) / 16384, 1, 0.01);
  EXPECT_NEAR(median_of(lengths) / (16384 * 0.7827), 1, 0.01);  // exp(-sigma^2 / 2)
  auto cut = draw("lognormal:sigma=2,min=2K,max=8K", 10000);
  expect_bounds(cut, 2048, 8192);
  EXPECT_GT(std::count(cut.begin(), cut.end(), 2048), 1000);  // clipped, not drawn again
  expect_bounds(draw("lognormal:mean=4K,sigma=0", 10), 4095, 4096);
}

TEST(DistributionsTest, Bimodal) {
  auto lengths = draw("bimodal:mean1=1K,mean2=64K,sigma=0.1,share=0.25,min=1", 100000);
  auto large = std::count_if(lengths.begin(), lengths.end(), [](int64_t l) { return l > 8192; });
  EXPECT_NEAR(large / 100000.0, 0.25, 0.007);
  expect_bounds(draw("bimodal:mean1=1K,mean2=64K,sigma=0.1,share=0,min=1", 1000), 1, 8192);
  expect_bounds(draw("bimodal:mean1=1K,mean2=64K,sigma=0.1,share=1", 1000), 8192, 524288);
}

TEST(DistributionsTest, UniformParetoFixed) {
  auto uniform = draw("uniform:min=512,max=4096", 100000);
  expect_bounds(uniform, 512, 4096);
  EXPECT_NEAR(mean_of(uniform), 2304, 17);
  auto pareto = draw("pareto:alpha=1,min=1K,max=1M", 100000);
  expect_bounds(pareto, 1024, 1048576);
  EXPECT_NEAR(median_of(pareto) / 2046.0, 1, 0.01);
  EXPECT_EQ(draw("fixed:tokens=3", 3), std::vector<int64_t>({3, 3, 3}));
}

TEST(DistributionsTest, ZipfTableIsTheExactDistribution) {
  ZipfTable table(1, 4, 1);  // weights 12/25, 6/25, 4/25, 3/25
  std::map<int64_t, int> counts;
  for (int i = 0; i < 2500; ++i) ++counts[table.quantile((i + 0.5) / 2500)];
  EXPECT_EQ(counts, (std::map<int64_t, int>{{1, 1200}, {2, 600}, {3, 400}, {4, 300}}));
  EXPECT_EQ(table.quantile(1 - 0x1p-53), 4);
  expect_bounds(draw("zipf:exponent=0,min=5,max=7", 1000), 5, 7);
}

TEST(DistributionsTest, BurstBatchesEndExactly) {
  auto stream = make_synthetic("burst").factory(3);
  int bursts = 0;
  for (int batch = 0; batch < 400; ++batch) {
    int64_t tokens = 0;
    for (int document = 0; tokens < 524288; ++document) {
      int64_t length = stream->next();
      if (length == 131072) {
        EXPECT_EQ(document, 0);
        ++bursts;
      } else {
        EXPECT_GE(length, 512);
        EXPECT_LE(length, 4096);
      }
      tokens += length;
    }
    EXPECT_EQ(tokens, 524288);
  }
  EXPECT_NEAR(bursts, 200, 50);  // five standard deviations
  EXPECT_EQ(draw("burst:share=1,long=8K,batch=8K", 3), std::vector<int64_t>({8192, 8192, 8192}));
}

// Micro-batches of 64 documents, as the authors' test scripts make them.
TEST(DistributionsTest, BurstScriptsEndPacksWithMicroBatches) {
  const std::vector<Batch> packs =
      make_packs(*find_workload("burst_scripts"), {.tokens = 524288, .packs = 100, .seed = 2});
  int bursts = 0;
  for (const Batch& pack : packs) {
    ASSERT_EQ(pack.document_lengths.size(), 64u);
    const bool burst = pack.document_lengths[0] == 131072;
    bursts += burst;
    if (burst) EXPECT_EQ(pack.tokens(), 131072 + 63 * 4096);
    if (!burst) EXPECT_LT(pack.tokens(), 64 * 4096);
  }
  EXPECT_NEAR(bursts, 50, 25);  // five standard deviations
}

// The long document fills a bucket, the 63 others fill 2 less 4K, and the fourth is only padding.
TEST(DistributionsTest, BurstScriptsPadEveryBucket) {
  const auto pack = [](const char* padding) {
    const std::string name = std::string("burst_scripts:share=1,pad=128,padding=") + padding;
    return make_packs(*find_workload(name), {.tokens = 524288}).front();
  };
  EXPECT_EQ(pack("128K").tokens(), 524288);
  EXPECT_EQ(pack("128K").document_lengths.size(), 64u + 2);
  EXPECT_EQ(pack("4K").document_lengths.size(), 64u + 33);
}

std::string refused(const std::string& text) {
  return error_of([&] { make_synthetic(text); });
}

TEST(DistributionsTest, BadParametersAreNamed) {
  EXPECT_EQ(refused("uniform:mix=4K"),
            "workload 'uniform:mix=4K': unknown parameter 'mix'; did you mean 'min'?");
  EXPECT_EQ(refused("uniform:min"), "workload 'uniform:min': 'min' must be key=value");
  EXPECT_EQ(refused("uniform:"), "workload 'uniform:': '' must be key=value");
  EXPECT_EQ(refused("uniform:min=1,min=2"), "workload 'uniform:min=1,min=2': 'min' is given twice");
  EXPECT_EQ(refused("uniform:min=8K"), "workload 'uniform:min=8K': min=8192 is over max=4096");
  EXPECT_EQ(refused("fixed:tokens=0"),
            "workload 'fixed:tokens=0': tokens=0: must be from 1 to 2048M tokens");
  EXPECT_EQ(refused("fixed:tokens=4M K").find("workload 'fixed:tokens=4M K': tokens="), 0u);
  EXPECT_EQ(refused("lognormal:sigma=-1"),
            "workload 'lognormal:sigma=-1': sigma=-1: must be a number from 0 to 10");
  EXPECT_EQ(refused("lognormal:sigma=nan"),
            "workload 'lognormal:sigma=nan': sigma=nan: must be a number from 0 to 10");
  EXPECT_EQ(refused("burst:max=600"),
            "workload 'burst:max=600': max=600 must be at least twice min=512");
  EXPECT_EQ(refused("burst:batch=64K"),
            "workload 'burst:batch=64K': batch=65536 must be long=131072, or exceed it by min=512 "
            "or more");
  EXPECT_EQ(refused("burst_scripts:batch=256K"),
            "workload 'burst_scripts:batch=256K': batch=262144 must be at least long=131072 and 63 "
            "others of max=4096");
  EXPECT_EQ(refused("burst_scripts:pad=96"),
            "workload 'burst_scripts:pad=96': pad=98304 must divide batch=524288 and be at least "
            "long=131072");
  EXPECT_EQ(refused("zipf:max=32M"),
            "workload 'zipf:max=32M': min=128,max=33554432 spans more than 16777216 lengths; use "
            "pareto instead");
  EXPECT_EQ(make_synthetic("pile").distribution, nullptr);
}

}  // namespace
}  // namespace cpbench
