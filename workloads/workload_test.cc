#include "workloads/workload.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "harness/presets/files_for_tests.h"

namespace cpbench {
namespace {

std::vector<int64_t> draw(const std::string& name, int count, uint64_t seed) {
  auto stream = find_workload(name)->stream(seed);
  std::vector<int64_t> lengths(count);
  std::generate(lengths.begin(), lengths.end(), [&] { return stream->next(); });
  return lengths;
}

// The lengths of a seed, which are the same on every platform. A change here changes every
// published pack.
TEST(WorkloadTest, FixedSeedsGiveFixedLengths) {
  using Lengths = std::vector<int64_t>;
  EXPECT_EQ(draw("wlb_llm", 6, 1), Lengths({4528, 3355, 3692, 2524, 4492, 920}));
  EXPECT_EQ(draw("pile", 6, 1), Lengths({475, 268, 306, 201, 464, 87}));
  EXPECT_EQ(draw("pile", 6, 2), Lengths({67, 523, 106, 579, 444, 130}));
  EXPECT_EQ(draw("prolong512k", 6, 1), Lengths({593, 369, 425, 261, 584, 114}));
  EXPECT_EQ(draw("lognormal", 6, 1), Lengths({18620, 13292, 14615, 10571, 18406, 6087}));
  EXPECT_EQ(draw("bimodal", 6, 1), Lengths({14834, 12595, 8491, 49720, 15429, 34156}));
  EXPECT_EQ(draw("uniform", 6, 1), Lengths({3031, 2377, 2570, 1914, 3011, 1026}));
  EXPECT_EQ(draw("pareto", 6, 1), Lengths({860, 533, 600, 420, 844, 298}));
  EXPECT_EQ(draw("zipf", 6, 1), Lengths({1253, 519, 647, 331, 1210, 172}));
  EXPECT_EQ(draw("burst", 6, 1), Lengths({2377, 2570, 1914, 3011, 1026, 766}));
}

TEST(WorkloadTest, EveryListedNameIsFoundAndSaysWhereItIsFrom) {
  auto listed = list_workloads();
  EXPECT_TRUE(std::is_sorted(listed.begin(), listed.end(), [](const auto& a, const auto& b) {
    return std::pair(a.kind, a.name) < std::pair(b.kind, b.name);
  }));
  for (const WorkloadSummary& summary : listed) {
    auto workload = find_workload(summary.name);
    EXPECT_EQ(workload->kind, summary.kind);
    EXPECT_EQ(workload->description, summary.description);
    EXPECT_EQ(workload->source.empty(), summary.kind == "synthetic") << summary.name;
    if (summary.kind == "lengths") {
      EXPECT_NE(workload->source.find("licence: "), std::string::npos) << summary.name;
      EXPECT_NE(workload->source.find("cautions: "), std::string::npos) << summary.name;
    }
    EXPECT_GE(workload->stream(1)->next(), 1);
  }
}

TEST(WorkloadTest, FileDocumentsComeInTheOrderOfTheFile) {
  TestFile file("lengths.txt", "4\n0\n9\n2\n");
  EXPECT_EQ(draw(file.path(), 7, 1), (std::vector<int64_t>{4, 9, 2, 4, 9, 2, 4}));
  EXPECT_EQ(draw(file.path() + ":order=file", 3, 2), (std::vector<int64_t>{4, 9, 2}));
  const std::string error = error_of([&] { find_workload(file.path() + ":order=file_"); });
  EXPECT_NE(error.find("unknown order 'file_'; did you mean 'file'?"), std::string::npos) << error;
}

TEST(WorkloadTest, ShuffledFileDocumentsComeOncePerPassInASeededOrder) {
  TestFile file("lengths.txt", "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n");
  std::vector<int64_t> all = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
  const std::string shuffled = file.path() + ":order=shuffled";
  auto lengths = draw(shuffled, 20, 1);
  EXPECT_EQ(lengths, draw(shuffled, 20, 1));
  EXPECT_NE(lengths, draw(shuffled, 20, 2));
  std::vector<int64_t> first(lengths.begin(), lengths.begin() + 10);
  std::vector<int64_t> second(lengths.begin() + 10, lengths.end());
  EXPECT_NE(first, second);
  EXPECT_TRUE(std::is_permutation(first.begin(), first.end(), all.begin()));
  EXPECT_TRUE(std::is_permutation(second.begin(), second.end(), all.begin()));
  EXPECT_EQ(find_workload(file.path())->kind, "file");
  EXPECT_EQ(find_workload(file.path())->description, "10 documents from a file");
}

TEST(WorkloadTest, SkippedDocumentsAreNotedOnce) {
  TestFile file("lengths.txt", "0\n5\n0\n");
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(find_workload(file.path())->description, "1 documents from a file");
  find_workload(file.path());
  EXPECT_EQ(
      ::testing::internal::GetCapturedStderr(),
      "cpbench: note: " + file.path() + ": 2 of 3 documents have no tokens and are skipped\n");
}

TEST(WorkloadTest, UnknownNamesSuggestTheNearest) {
  EXPECT_EQ(error_of([] { find_workload("piel"); }),
            "unknown workload 'piel'; did you mean 'pile'?");
  EXPECT_EQ(error_of([] { find_workload("lognormel:sigma=0.7"); }),
            "unknown workload 'lognormel'; did you mean 'lognormal'?");
  EXPECT_EQ(error_of([] { find_workload("pile.csv"); }),
            "cannot read the file of lengths 'pile.csv': it does not exist");
  EXPECT_NE(error_of([] { find_workload(""); }), "");
}

}  // namespace
}  // namespace cpbench
