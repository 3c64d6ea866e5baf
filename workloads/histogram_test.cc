// Compares the shipped length sets with the quantiles and means published for their raw data.
#include "workloads/histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "harness/presets/files_for_tests.h"
#include "harness/presets/presets.h"

namespace cpbench {
namespace {

// The largest factor that a bin spans at a length, of its own bin and of the neighbours, because a
// published quantile may be rounded over the edge of its bin.
double bin_factor(const LengthHistogram& set, int64_t length) {
  double factor = 1;
  for (size_t i = 0; i < set.bins.size(); ++i) {
    size_t next = std::min(i + 1, set.bins.size() - 1);
    if (length < set.bins[i ? i - 1 : 0].law.low || length > set.bins[next].law.high) continue;
    factor = std::max(factor, (set.bins[i].law.high + 1.0) / set.bins[i].law.low);
  }
  return factor;
}

void expect_within_a_bin(const LengthHistogram& set, double share, int64_t length) {
  double factor = bin_factor(set, length);
  int64_t got = set.quantile(share);
  EXPECT_LE(got, length * factor + 1) << set.name << " at " << share;
  EXPECT_GE(got, length / factor - 1) << set.name << " at " << share;
}

LengthHistogram load(const std::string& name) {
  return parse_histogram(find_preset(PresetKind::lengths, name));
}

double mean_of(const LengthHistogram& set) {
  constexpr int kPoints = 200000;
  double sum = 0;
  for (int i = 0; i < kPoints; ++i) sum += set.quantile((i + 0.5) / kPoints);
  return sum / kPoints;
}

TEST(HistogramTest, EveryShippedSetAgreesWithWhatItsFileSaysOfTheRawData) {
  ASSERT_GE(shipped_presets(PresetKind::lengths).size(), 12u);
  for (const Preset& file : shipped_presets(PresetKind::lengths)) {
    LengthHistogram set = parse_histogram(file);
    EXPECT_LE(set.bins.size(), 200u) << set.name;
    EXPECT_GE(set.published.size(), 2u) << set.name;
    for (auto [share, length] : set.published) expect_within_a_bin(set, share, length);
    if (set.published_mean > 0) {
      EXPECT_NEAR(mean_of(set) / set.published_mean, 1, 0.02) << set.name;
    }
    if (set.documents > 0) {
      // Some sources round the counts of their bins.
      EXPECT_NEAR(1.0 * set.ends.back() / set.documents, 1, 1e-3) << set.name;
    }
    EXPECT_EQ(set.quantile(0), set.smallest()) << set.name;
    EXPECT_GE(set.quantile(1 - 0x1p-53), set.largest() * 0.9) << set.name;
  }
}

struct Published {
  const char* name;
  int64_t documents;           // 0: not published
  int64_t p50, p90, p99, max;  // 0: not published
};

// As the sources state them, independent of the files. The sources of The Pile and ProLong state
// shares instead, which are `published` in the files.
constexpr Published kPublished[] = {
    {"wikipedia", 1000000, 347, 2112, 10919, 1823777},
    {"magi_pretrain", 13463214, 551, 2712, 20800, 196608},
    {"pile", 0, 272, 0, 0, 9323167},
    {"prolong64k", 0, 0, 0, 9000, 61919},
    {"prolong512k", 0, 0, 0, 9000, 475871},
    {"wlb_llm", 99519, 3227, 5784, 26058, 124913},
    {"textbook_chapters", 77932, 1914, 6051, 16270, 340149},
    {"starcoder", 0, 486, 2634, 12267, 3339747},
    {"arxiv", 310572, 16257, 39165, 91487, 0},
    {"books", 11118, 65460, 179343, 391695, 0},
    {"web", 0, 446, 1468, 5800, 134197},
    {"code_files", 60284, 896, 5809, 28319, 0},
    {"longalign", 93147, 0, 13100, 42100, 60999},
    {"mooncake", 12031, 7255, 27723, 85851, 126527},
    {"deepseek_r1", 0, 208, 2092, 23423, 57284},
};

TEST(HistogramTest, ShippedSetsAgreeWithTheirSources) {
  EXPECT_EQ(std::size(kPublished), shipped_presets(PresetKind::lengths).size());
  for (const Published& expected : kPublished) {
    LengthHistogram set = load(expected.name);
    if (expected.documents) {
      EXPECT_EQ(set.documents, expected.documents) << set.name;
    }
    if (expected.p50) expect_within_a_bin(set, 0.5, expected.p50);
    if (expected.p90) expect_within_a_bin(set, 0.9, expected.p90);
    if (expected.p99) expect_within_a_bin(set, 0.99, expected.p99);
    if (expected.max) {
      EXPECT_EQ(set.largest(), expected.max) << set.name;
    }
  }
}

TEST(HistogramTest, OpenEndedTailsAreParetoNotUniform) {
  // If the last bin were uniform, the mean of The Pile would be over 10,000 tokens.
  LengthHistogram pile = load("pile");
  EXPECT_EQ(pile.bins.back().law.exponent, 1.56);
  EXPECT_LT(mean_of(pile), 1000);
  EXPECT_EQ(load("prolong512k").bins.back().law.exponent, 1.0);
}

constexpr char kHead[] =
    "title='t'\ndescription='d'\nsource='s'\nlicence='l'\ntokenizer='k'\ncautions='c'\n";

TEST(HistogramTest, QuantilesOfAHandMadeSet) {
  LengthHistogram set = parse_histogram({"x", "length set 'x'",
                                         kHead + std::string("bins=[[1,1,1],[10,19,2,-1],"
                                                             "[30,30,1]]")});
  EXPECT_EQ(set.quantile(0), 1);
  EXPECT_EQ(set.quantile(0.2499), 1);
  EXPECT_EQ(set.quantile(0.25), 10);
  EXPECT_EQ(set.quantile(0.5), 15);
  EXPECT_EQ(set.quantile(0.7499), 19);
  EXPECT_EQ(set.quantile(0.75), 30);
}

TEST(HistogramTest, BadFilesNameTheSetAndTheFault) {
  const auto message = [](const std::string& text) {
    return error_of([&] { parse_histogram({"x", "length set 'x'", text}); });
  };
  std::string head = kHead;
  EXPECT_EQ(message("title = ").find("length set 'x':1: "), 0u);
  EXPECT_EQ(message("title = 3"), "length set 'x':1: 'title' must be a string");
  EXPECT_EQ(message("title = 't'"), "length set 'x': 'description' is missing");
  EXPECT_EQ(message("bin = 3"), "length set 'x':1: unknown key 'bin'; did you mean 'bins'?");
  EXPECT_EQ(message(head), "length set 'x': 'bins' must have at least one row");
  EXPECT_NE(message(head + "bins=[[1,2]]").find("bin 0 must be"), std::string::npos);
  EXPECT_NE(message(head + "bins=[[0,2,1]]").find("bin 0 [0, 2, 1]"), std::string::npos);
  EXPECT_NE(message(head + "bins=[[1,2,1],[2,3,1]]").find("bin 1"), std::string::npos);
  EXPECT_NE(message(head + "bins=[[1,2,0]]").find("bin 0"), std::string::npos);
  EXPECT_EQ(message(head + "bins=[[1,2,1]]"), "");
}

TEST(HistogramTest, NumbersThatWouldOverflowAreRefused) {
  for (const char* bins : {"[[1,2147483649,1]]", "[[1,2,9223372036854775807]]",
                           "[[1,2,9000000000000000],[3,4,9000000000000000]]", "[[1,2,1,1e300]]",
                           "[[1,2,1,nan]]", "[[1,2,1,-inf]]"}) {
    const std::string text = kHead + std::string("bins=") + bins;
    EXPECT_NE(error_of([&] { parse_histogram({"x", "length set 'x'", text}); }), "") << bins;
  }
}

}  // namespace
}  // namespace cpbench
