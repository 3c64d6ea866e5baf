// Tests of the soak: it finds a planted fault and makes it small, and what it prints reproduces it.
#include <gtest/gtest.h>

#include "harness/plan/test_problems.h"
#include "harness/run/job.h"
#include "harness/run/suite.h"
#include "tests/contract/two_level.h"
#include "tests/soak/reproduce.h"
#include "tests/soak/shrink.h"

namespace cpbench::soak {
namespace {

// On several nodes it is wrong if `local` is true: gradients are summed only inside each node.
const Strategy& planted() {
  static const Strategy strategy = {
      .name = "planted",
      .title = {},
      .source = {},
      .moves = {},
      .constraints = {},
      .options = {{"local", OptionKind::boolean, "false", "", 0, 0, {}},
                  {"size", OptionKind::integer, "1", "", 1, 9, {}}},
      .plan = [](const Problem& problem, const Options& options) {
        return options.boolean("local") ? contract::wrong_two_level_plan(problem)
                                        : contract::two_level_plan(problem);
      }};
  return strategy;
}

// The same problem as a file gives it: what has its default value for all documents is left out.
Problem given_again(Problem problem) {
  Batch& batch = problem.batch;
  if (std::ranges::count(batch.parents, -1) == std::ssize(batch.parents)) batch.parents.clear();
  if (std::ranges::count(batch.cached_tokens, 0) == std::ssize(batch.cached_tokens)) {
    batch.cached_tokens.clear();
  }
  return problem;
}

bool fails(const Case& c) { return !trouble_of(c).value_or("").empty(); }

TEST(Soak, finds_a_wrong_backward_pass_and_shrinks_it) {
  std::mt19937_64 random(1);
  int found = 0;
  for (int i = 0; i < 200; ++i) {
    const Case drawn = draw(random, {&planted()});
    if (!fails(drawn)) continue;
    ++found;
    const Case minimal = shrink(drawn, fails);
    EXPECT_EQ(minimal.problem.batch, Batch{{2}});
    EXPECT_EQ(minimal.problem.cluster.nodes, 2);
    EXPECT_EQ(minimal.problem.cluster.gpus_per_node, 1);
    EXPECT_EQ(minimal.problem.shape.query_heads, 1);
    EXPECT_EQ(minimal.options, (std::map<std::string, std::string>{{"local", "true"}}));
    EXPECT_NE(trouble_of(minimal)->find("P6 backward"), std::string::npos);
  }
  EXPECT_GT(found, 5);
}

TEST(Soak, runs_what_it_draws) {
  const AttentionShape shape{.query_heads = 4, .kv_heads = 2, .dtype = Dtype::float64};
  Case drawn{&planted(), {}, problem_of({7, 1, 13}, {2, 2}, shape), true};
  drawn.problem.batch.cached_tokens = {3, 0, 6};
  EXPECT_EQ(trouble_of(drawn), "");
  drawn.problem.batch = Batch{{3}};
  EXPECT_EQ(trouble_of(drawn), std::nullopt);  // fewer tokens than ranks
}

// The printed fields resolve to the case, its options and its problem, with documents in order.
TEST(Soak, what_it_prints_is_the_case) {
  std::mt19937_64 random(3);
  int forests = 0;
  for (int i = 0; i < 60; ++i) {
    const Case drawn = draw(random, strategies());
    forests += !drawn.problem.batch.is_uniform();
    Suite suite;
    suite.products.resize(1);
    for (const auto& [name, value] : reproduction_of(drawn, testing::TempDir()).fields) {
      suite.products[0].fields[name] = {{value}, "--" + name};
    }
    const Job job = jobs_of(suite).at(0);
    EXPECT_EQ(job.spec.strategy, drawn.strategy->name);
    const Options options(job.spec.strategy, drawn.strategy->options, drawn.options);
    EXPECT_EQ(job.spec.options, options.changed_values());
    EXPECT_EQ(job.problem(job.batches->at(0)), given_again(drawn.problem));
  }
  EXPECT_GT(forests, 5);
}

}  // namespace
}  // namespace cpbench::soak
