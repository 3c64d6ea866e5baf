// Suites: reading, multiplying out, and every refusal with its place.
#include "harness/run/suite.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "harness/plan/errors.h"
#include "harness/run/outcome.h"
#include "harness/run/parameters.h"

namespace cpbench {
namespace {

class SuiteFile : public testing::Test {
 protected:
  std::string write(const std::string& text) {
    const std::string path = testing::TempDir() + "/" +
                             testing::UnitTest::GetInstance()->current_test_info()->name() +
                             ".toml";
    std::ofstream(path) << text;
    return path;
  }
  // The message without the folder.
  std::string refusal(const std::string& text) {
    const std::string path = write(text);
    try {
      cells_of(read_suite(path));
    } catch (const UserError& error) {
      const std::string message = error.what();
      const size_t at = message.find(std::filesystem::path(path).filename().string());
      return at == std::string::npos ? message : message.substr(message.find(".toml", at) + 5);
    }
    return "no refusal";
  }
};

constexpr const char* kTwo = "strategy = [\"ring\", \"allgather\"]\nworkload = \"pile\"\n";

TEST_F(SuiteFile, lists_multiply_out_strategies_together) {
  const Suite suite = read_suite(write(std::string(kTwo) + "ranks = [2, 4]\ntokens = \"1K\"\n"));
  const std::vector<RunSpec> cells = cells_of(suite);
  ASSERT_EQ(cells.size(), 4u);
  EXPECT_EQ(cells[0].strategy, "ring");
  EXPECT_EQ(cells[1].strategy, "allgather");
  EXPECT_EQ(cells[1].ranks, 2);
  EXPECT_EQ(cells[2].ranks, 4);
  EXPECT_EQ(cells[2].tokens, 1024);
}

TEST_F(SuiteFile, sweeps_replace_the_defaults_and_repetitions_are_dropped) {
  const std::string text =
      std::string(kTwo) + "[[sweep]]\nranks = [2, 4]\n[[sweep]]\nranks = 4\n[[sweep]]\nranks = 8\n";
  EXPECT_EQ(cells_of(read_suite(write(text))).size(), 6u);
}

TEST_F(SuiteFile, what_has_no_meaning_does_not_multiply) {
  const std::string text = std::string(kTwo) +
                           "mask = [\"causal\", \"sliding_window\"]\nwindow = [8, 16]\n"
                           "backend = \"plan\"\nkernel = [\"fused\", \"reference\"]\n";
  // causal once, sliding_window with two windows, no kernel without a run; two strategies
  EXPECT_EQ(cells_of(read_suite(write(text))).size(), 6u);
}

TEST_F(SuiteFile, flags_replace_keys) {
  Suite suite = read_suite(write(std::string(kTwo) + "ranks = [2, 4]\n"));
  Product flags;
  flags.parameters["ranks"] = {{"8"}, "--ranks"};
  override_with(suite, flags);
  ASSERT_EQ(cells_of(suite).size(), 2u);
  EXPECT_EQ(cells_of(suite)[0].ranks, 8);
}

TEST_F(SuiteFile, bad_key_names_line_and_nearest) {
  EXPECT_EQ(refusal(std::string(kTwo) + "token = 5\n"),
            ":3: unknown key 'token'; did you mean 'tokens'?");
}
TEST_F(SuiteFile, bad_toml_names_line) {
  EXPECT_EQ(refusal("strategy = [\"ring\"\nworkload = \n").substr(0, 1), ":");
}
TEST_F(SuiteFile, bad_value_names_line_and_key) {
  EXPECT_EQ(refusal(std::string(kTwo) + "ranks = [4, 0]\n"),
            ":3: ranks: 0 is out of range; must be from 1 to 65536");
  EXPECT_EQ(refusal(std::string(kTwo) + "tokens = -5\n"),
            ":3: tokens: '-5' is no count; write digits with an optional K or M, at least 1");
  EXPECT_EQ(refusal(std::string(kTwo) + "tokens = 1.5\n"),
            ":3: tokens: '1.5' is no count; write digits with an optional K or M, at least 1");
  EXPECT_EQ(refusal(std::string(kTwo) + "cached = 1.5\n"),
            ":3: cached: '1.5' is no share; must be a number from 0 to below 1, like 0.9");
  EXPECT_EQ(refusal(std::string(kTwo) + "tokens = true\n"),
            ":3: tokens: expected a string or a number, or a list of them");
}
TEST_F(SuiteFile, bad_strategy_suggests_the_nearest) {
  EXPECT_EQ(refusal("strategy = \"rign\"\nworkload = \"pile\"\n"),
            ":1: strategy: unknown strategy 'rign'; did you mean 'ring'?");
}
TEST_F(SuiteFile, bad_combinations) {
  EXPECT_EQ(refusal(std::string(kTwo) + "ranks = 4\nnodes = 3\n"),
            ":4: nodes: 3 nodes do not divide 4 ranks");
  EXPECT_EQ(refusal(std::string(kTwo) + "mask = \"sliding_window\"\n"),
            ":3: mask: sliding_window needs a window, like --window 1K");
  EXPECT_EQ(refusal("workload = \"pile\"\n").substr(0, 24), "no strategy is given; na");
}

TEST(Parameters, values_split_at_commas_but_not_inside_a_distribution) {
  EXPECT_EQ(split_values("pile,lognormal:mean=2K,sigma=1,wlb_llm"),
            (std::vector<std::string>{"pile", "lognormal:mean=2K,sigma=1", "wlb_llm"}));
  EXPECT_EQ(split_values("8K"), (std::vector<std::string>{"8K"}));
  EXPECT_TRUE(split_values(",").empty());
}

TEST(Parameters, every_row_reads_what_it_writes) {
  Suite suite;
  suite.products.resize(1);
  suite.products[0].parameters["strategy"] = {{"ring"}, ""};
  suite.products[0].parameters["workload"] = {{"pile"}, ""};
  const RunSpec cell = cells_of(suite).at(0);
  for (const RunParameter& parameter : parameters()) {
    const std::string written = parameter.get(cell);
    if (written.empty()) continue;
    RunSpec again = cell;
    parameter.set(again, written);
    EXPECT_EQ(canonical_text(again), canonical_text(cell)) << parameter.name;
  }
}

TEST(Parameters, cached_stands_in_the_identity_only_where_it_is_not_0) {
  Suite suite;
  suite.products.resize(1);
  suite.products[0].parameters["strategy"] = {{"ring"}, ""};
  suite.products[0].parameters["workload"] = {{"pile"}, ""};
  suite.products[0].parameters["cached"] = {{"0", "0.9"}, ""};
  const std::vector<RunSpec> cells = cells_of(suite);
  ASSERT_EQ(cells.size(), 2u);
  EXPECT_EQ(canonical_text(cells[0]).find("cached"), std::string::npos);
  EXPECT_NE(canonical_text(cells[1]).find("\ncached=0.9\n"), std::string::npos);
  EXPECT_EQ(find_parameter("cached")->get(cells[1]), "0.9");
}

TEST(Parameters, command_reproduces_the_cell) {
  Suite suite;
  suite.products.resize(1);
  suite.products[0].parameters["strategy"] = {{"ring"}, ""};
  suite.products[0].parameters["workload"] = {{"lognormal:mean=2K,sigma=1"}, ""};
  const std::string command = command_of(cells_of(suite).at(0));
  EXPECT_NE(command.find("cpbench run --strategy ring --workload lognormal:mean=2K,sigma=1 "),
            std::string::npos)
      << command;
}

}  // namespace
}  // namespace cpbench
