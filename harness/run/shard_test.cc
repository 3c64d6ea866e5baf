#include "harness/run/shard.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "harness/plan/error_of_for_tests.h"

namespace cpbench {
namespace {

std::vector<std::string> keys(size_t count) {
  std::vector<std::string> found;
  for (size_t i = 0; i < count; ++i) found.push_back("run " + std::to_string(i));
  return found;
}

TEST(Shard, parts_are_disjoint_complete_and_even) {
  for (const size_t count : {size_t{0}, size_t{1}, size_t{7}, size_t{100}}) {
    std::vector<size_t> all;
    for (int32_t number = 1; number <= 8; ++number) {
      const std::vector<size_t> part = part_of(keys(count), {number, 8});
      EXPECT_LE(part.size(), (count + 7) / 8);
      EXPECT_TRUE(std::ranges::is_sorted(part));
      all.insert(all.end(), part.begin(), part.end());
    }
    std::ranges::sort(all);
    EXPECT_EQ(all.size(), count);
    EXPECT_EQ(std::unique(all.begin(), all.end()), all.end());
  }
}

TEST(Shard, one_part_is_all) {
  EXPECT_EQ(part_of(keys(3), {1, 1}), (std::vector<size_t>{0, 1, 2}));
}

TEST(Shard, a_part_does_not_get_the_same_strategy_of_each_problem) {
  // Four strategies on each of eight problems, four parts: by position each would have one
  // strategy.
  std::vector<std::string> names;
  for (int problem = 0; problem < 8; ++problem) {
    for (const char* strategy : {"a", "b", "c", "d"}) {
      names.push_back(strategy + std::to_string(problem));
    }
  }
  const std::vector<size_t> part = part_of(names, {1, 4});
  EXPECT_FALSE(
      std::ranges::all_of(part, [&](size_t i) { return names[i][0] == names[part[0]][0]; }));
}

TEST(Shard, is_a_part_and_the_number_of_parts) {
  EXPECT_EQ(parse_shard("3/8").number, 3);
  EXPECT_EQ(parse_shard("3/8").of, 8);
  for (const char* bad : {"", "3", "0/8", "9/8", "3/", "/8", "-1/8", "3/8/2", "1.5/2", "a/b"}) {
    EXPECT_NE(error_of([&] { parse_shard(bad); }).find("like 3/8"), std::string::npos) << bad;
  }
}

TEST(Shard, of_a_slurm_array) {
  const auto array = [](const char* id, const char* first, const char* last, const char* count) {
    setenv("SLURM_ARRAY_TASK_ID", id, 1);
    setenv("SLURM_ARRAY_TASK_MIN", first, 1);
    setenv("SLURM_ARRAY_TASK_MAX", last, 1);
    setenv("SLURM_ARRAY_TASK_COUNT", count, 1);
  };
  array("0", "0", "7", "8");
  EXPECT_EQ(parse_shard("slurm").number, 1);
  array("8", "1", "8", "8");
  EXPECT_EQ(parse_shard("slurm").number, 8);
  EXPECT_EQ(parse_shard("slurm").of, 8);
  array("4", "0", "8", "3");  // --array=0-8:4
  EXPECT_NE(error_of([] { parse_shard("slurm"); }).find("--array=1-8"), std::string::npos);
  unsetenv("SLURM_ARRAY_TASK_ID");
  EXPECT_NE(error_of([] { parse_shard("slurm"); }).find("SLURM_ARRAY_TASK_ID"), std::string::npos);
}

TEST(Shard, says_what_is_missing) {
  const std::filesystem::path folder =
      std::filesystem::path(testing::TempDir()) / "cpbench_shard_test";
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  EXPECT_EQ(expected_in(folder.string(), {}).runs, 0u);
  write_expected(folder.string(), {"b.h5", "a.h5", "c.h5"});
  write_expected(folder.string(), {"c.h5", "b.h5", "a.h5"});  // the same list
  write_expected((folder / "copied").string(), {"d.h5"});
  const Expected expected = expected_in(folder.string(), {"somewhere/b.h5", "d.h5", "other.h5"});
  EXPECT_EQ(expected.runs, 4u);
  EXPECT_EQ(expected.missing, (std::vector<std::string>{"a.h5", "c.h5"}));
}

}  // namespace
}  // namespace cpbench
