#include "workloads/mix.h"

#include <gtest/gtest.h>

#include <cmath>

#include "harness/presets/files_for_tests.h"

namespace cpbench {
namespace {

std::vector<int64_t> draw(const std::string& text, int count) {
  auto stream = make_mix(parse_mix(text))(1);
  std::vector<int64_t> lengths(count);
  for (int64_t& length : lengths) length = stream->next();
  return lengths;
}

TEST(MixTest, TheMeanOfAHistogramIsThatOfItsQuantiles) {
  const auto set = parse_mix("mix:wikipedia=1").front().set;
  double sum = 0;
  constexpr int kDraws = 200000;
  for (int i = 0; i < kDraws; ++i) sum += static_cast<double>(set->quantile((i + 0.5) / kDraws));
  EXPECT_NEAR(set->mean() / (sum / kDraws), 1, 0.002);
}

TEST(MixTest, SharesAreOfTokensAndNeedNotSumToOne) {
  const Mix mix = parse_mix("mix:wikipedia=3,arxiv=1");
  EXPECT_DOUBLE_EQ(mix[0].token_share, 0.75);
  EXPECT_DOUBLE_EQ(mix[1].token_share, 0.25);
  // The tokens of arXiv if every document were as long as the mean of its set.
  const double wikipedia = mix[0].up_to_document_share * mix[0].set->mean();
  const double arxiv = (1 - mix[0].up_to_document_share) * mix[1].set->mean();
  EXPECT_NEAR(arxiv / (wikipedia + arxiv), 0.25, 1e-9);
  EXPECT_EQ(mix.back().up_to_document_share, 1);
}

TEST(MixTest, DrawsHaveTheMixturesMean) {
  const Mix mix = parse_mix("mix:wikipedia=1,arxiv=1");
  const double p = mix[0].up_to_document_share;
  const double expected = p * mix[0].set->mean() + (1 - p) * mix[1].set->mean();
  double sum = 0;
  constexpr int kDraws = 200000;
  for (int64_t length : draw("mix:wikipedia=1,arxiv=1", kDraws)) sum += static_cast<double>(length);
  EXPECT_NEAR(sum / kDraws / expected, 1, 0.03);
}

TEST(MixTest, AMixIsAWorkload) {
  const auto mix = find_workload("mix:web=0.9,books=0.1");
  EXPECT_EQ(mix->name, "mix:web=0.9,books=0.1");
  EXPECT_EQ(mix->kind, "lengths");
  EXPECT_EQ(mix->description, "by tokens: web 90%, books 10%");
  EXPECT_NE(mix->source.find("web: "), std::string::npos);
  EXPECT_NE(mix->source.find("books: "), std::string::npos);
  EXPECT_GE(mix->stream(1)->next(), 1);
}

TEST(MixTest, BadMixesNameSetAndShare) {
  const auto refused = [](const std::string& text) {
    return error_of([&] { find_workload(text); });
  };
  EXPECT_EQ(refused("mix"), "workload 'mix': '' must be set=share, as in mix:web=0.9,books=0.1");
  EXPECT_EQ(refused("mix:web"),
            "workload 'mix:web': 'web' must be set=share, as in mix:web=0.9,books=0.1");
  EXPECT_EQ(refused("mix:wep=1"),
            "workload 'mix:wep=1': unknown length set 'wep'; did you mean 'web'?");
  EXPECT_EQ(refused("mix:web=0"),
            "workload 'mix:web=0': web=0: must be the set's share of the tokens, above 0");
  EXPECT_EQ(refused("mix:web=1,web=2"), "workload 'mix:web=1,web=2': 'web' is given twice");
}

}  // namespace
}  // namespace cpbench
