#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "harness/presets/files_for_tests.h"
#include "workloads/streams.h"

namespace cpbench {
namespace {

using Lengths = std::vector<int64_t>;

// Repeats the given lengths.
class Cycle : public Workload {
 public:
  explicit Cycle(Lengths lengths) : lengths_(std::move(lengths)) {}
  std::unique_ptr<LengthStream> stream(uint64_t) const override {
    return std::make_unique<IndependentStream>(
        1, [this, i = size_t{0}](Random&) mutable { return lengths_[i++ % lengths_.size()]; });
  }

 private:
  Lengths lengths_;
};

std::vector<Lengths> pack(const Workload& workload, int64_t tokens, int32_t packs,
                          const std::string& policy) {
  std::vector<Lengths> lengths;
  for (const Batch& batch : make_packs(workload, {tokens, packs, 1, policy})) {
    lengths.push_back(batch.document_lengths);
  }
  return lengths;
}

TEST(PackingTest, TruncateDropsTheRest) {
  EXPECT_EQ(pack(Cycle({3, 5, 20}), 10, 3, "truncate"),
            std::vector<Lengths>({{3, 5, 2}, {3, 5, 2}, {3, 5, 2}}));
  EXPECT_EQ(pack(Cycle({4, 6}), 10, 2, "truncate"), std::vector<Lengths>({{4, 6}, {4, 6}}));
}

TEST(PackingTest, CarryKeepsTheRestAsADocument) {
  EXPECT_EQ(pack(Cycle({3, 5, 24}), 10, 4, "carry"),
            std::vector<Lengths>({{3, 5, 2}, {10}, {10}, {2, 3, 5}}));
}

TEST(PackingTest, BestFitCutsLittle) {
  // One window is eight packs of 10: sixteen 6s and 4s pair up, none is cut.
  for (const Lengths& lengths : pack(Cycle({6, 4}), 10, 8, "best_fit")) {
    EXPECT_EQ(lengths, Lengths({6, 4}));
  }
  // Documents of 7 leave gaps of 3, which only cut documents can fill.
  EXPECT_EQ(pack(Cycle({7}), 10, 2, "best_fit"), std::vector<Lengths>({{7, 3}, {7, 3}}));
  // Documents longer than a pack: each becomes two whole packs and a rest of 5. The first window
  // has eight whole packs; the second has six, and the rests that waited fill the others.
  auto giants = pack(Cycle({25}), 10, 16, "best_fit");
  EXPECT_EQ(std::count(giants.begin(), giants.end(), Lengths({10})), 14);
  EXPECT_EQ(std::count(giants.begin(), giants.end(), Lengths({5, 5})), 2);
}

TEST(PackingTest, EveryPackHasExactlyItsTokensWhateverTheWorkload) {
  for (const PackingPolicy& policy : packing_policies()) {
    EXPECT_FALSE(policy.description.empty());
    for (const WorkloadSummary& summary : list_workloads()) {
      auto workload = find_workload(summary.name);
      if (workload->pack() != nullptr) continue;  // it has its own tokens
      for (int64_t tokens : {int64_t{1}, int64_t{7}, int64_t{8192}, int64_t{100003}}) {
        for (const Lengths& lengths : pack(*workload, tokens, 3, policy.name)) {
          const int64_t sum = std::accumulate(lengths.begin(), lengths.end(), int64_t{0});
          EXPECT_LE(sum, tokens) << summary.name << " " << policy.name;
          // Its packs are micro-batches, which need not be full.
          if (summary.name == "burst_scripts") continue;
          EXPECT_EQ(sum, tokens) << summary.name << " " << policy.name;
          EXPECT_GE(*std::min_element(lengths.begin(), lengths.end()), 1);
        }
      }
    }
  }
}

TEST(PackingTest, MorePacksNeverChangeTheFirst) {
  auto workload = find_workload("wlb_llm");
  for (const PackingPolicy& policy : packing_policies()) {
    auto few = pack(*workload, 8192, 3, policy.name);
    auto many = pack(*workload, 8192, 20, policy.name);
    many.resize(3);
    EXPECT_EQ(few, many) << policy.name;
  }
}

TEST(PackingTest, CarryAndBestFitLoseNoTokens) {
  // In a stream of ones and one long document, every token must appear in a pack.
  Lengths lengths(1000, 1);
  lengths[10] = 7000;
  for (const char* policy : {"carry", "best_fit"}) {
    int64_t ones = 0, tokens = 0;
    for (const Lengths& documents : pack(Cycle(lengths), 1000, 8, policy)) {
      ones += std::count(documents.begin(), documents.end(), 1);
      tokens += std::accumulate(documents.begin(), documents.end(), int64_t{0});
    }
    EXPECT_EQ(tokens, 8000);
    EXPECT_GE(ones, 999) << policy;
  }
}

TEST(PackingTest, BadOptionsAreNamed) {
  Cycle workload({1});
  EXPECT_EQ(error_of([&] { make_packs(workload, {.tokens = 0}); }),
            "a pack has 0 tokens; must be from 1 to 2147483648");
  EXPECT_EQ(error_of([&] { make_packs(workload, {.tokens = 8, .packs = 0}); }),
            "there are 0 packs; must be at least 1");
  EXPECT_EQ(error_of([&] { make_packs(workload, {.tokens = 8, .policy = "cary"}); }),
            "unknown packing policy 'cary'; did you mean 'carry'?");
}

}  // namespace
}  // namespace cpbench
