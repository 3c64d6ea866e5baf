#include "workloads/length_sets.h"

#include <gtest/gtest.h>

#include "harness/presets/files_for_tests.h"

namespace cpbench {
namespace {

std::vector<int64_t> pack_of(const std::string& workload, int64_t tokens) {
  return make_packs(*find_workload(workload), {.tokens = tokens}).front().document_lengths;
}

TEST(LengthSetsTest, DocumentsComeInTheirOrderAgainAndAgain) {
  EXPECT_EQ(pack_of("documents:2K+5+1", 4107), (std::vector<int64_t>{2048, 5, 1, 2048, 5}));
}

TEST(LengthSetsTest, ACapCutsDocumentsOfThePack) {
  const std::vector<int64_t> whole = pack_of("books", 1 << 20);
  std::vector<int64_t> cut;
  for (int64_t length : whole) {
    for (; length > 1 << 16; length -= 1 << 16) cut.push_back(1 << 16);
    cut.push_back(length);
  }
  ASSERT_GT(cut.size(), whole.size());
  EXPECT_EQ(pack_of("books:cap=0.0625", 1 << 20), cut);
}

TEST(LengthSetsTest, ACapOfThePackChangesNothing) {
  EXPECT_EQ(pack_of("pile:cap=1", 8192), pack_of("pile", 8192));
}

TEST(LengthSetsTest, RefusalsNameTheSetting) {
  const auto refused = [](const std::string& text) {
    return error_of([&] { find_workload(text); });
  };
  EXPECT_EQ(refused("pile:cap=0"),
            "workload 'pile:cap=0': cap=0: must be a share of the pack, above 0 to 1");
  EXPECT_EQ(refused("pile:cup=1"),
            "workload 'pile:cup=1': unknown setting 'cup'; did you mean 'cap'?");
  EXPECT_EQ(refused("documents:5+0"),
            "workload 'documents:5+0': 0: must be from 1 to 2048M tokens");
  EXPECT_NE(refused("documents:5+").find("documents:5+"), std::string::npos);
}

}  // namespace
}  // namespace cpbench
