// Suites and jobs: reading, multiplying out, resolving, and every refusal with its place.
#include "harness/run/suite.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "harness/plan/errors.h"
#include "harness/presets/files_for_tests.h"
#include "harness/presets/presets.h"
#include "harness/run/choices.h"
#include "harness/run/job.h"
#include "harness/run/outcome.h"

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
      jobs_of(read_suite(path));
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
  const std::vector<Job> jobs = jobs_of(suite);
  ASSERT_EQ(jobs.size(), 4u);
  EXPECT_EQ(jobs[0].spec.strategy, "ring");
  EXPECT_EQ(jobs[1].spec.strategy, "allgather");
  EXPECT_EQ(jobs[1].spec.ranks, 2);
  EXPECT_EQ(jobs[2].spec.ranks, 4);
  EXPECT_EQ(jobs[2].spec.tokens, 1024);
}

TEST_F(SuiteFile, long_lists_and_many_sweeps_are_refused) {
  std::string list, sweeps;
  for (int i = 0; i < 1001; ++i) {
    list += "1,";
    sweeps += "[[sweep]]\n";
  }
  EXPECT_EQ(refusal("\nranks = [" + list + "]\n"),
            ":2: ranks: there are 1001 values; must be at most 1000");
  EXPECT_EQ(refusal("\n" + sweeps),
            ":2: sweep: there are 1001 [[sweep]] tables; must be at most 1000");
}

TEST_F(SuiteFile, sweeps_replace_the_defaults_and_repetitions_are_dropped) {
  const std::string text =
      std::string(kTwo) + "[[sweep]]\nranks = [2, 4]\n[[sweep]]\nranks = 4\n[[sweep]]\nranks = 8\n";
  EXPECT_EQ(jobs_of(read_suite(write(text))).size(), 6u);
}

TEST_F(SuiteFile, what_has_no_meaning_does_not_multiply) {
  const std::string text = std::string(kTwo) +
                           "mask = [\"causal\", \"sliding_window\"]\nwindow = [8, 16]\n"
                           "backend = \"plan\"\nkernel = [\"fused\", \"reference\"]\n";
  // causal once, sliding_window with two windows, no kernel without a run; two strategies
  EXPECT_EQ(jobs_of(read_suite(write(text))).size(), 6u);
}

TEST_F(SuiteFile, flags_replace_keys) {
  Suite suite = read_suite(write(std::string(kTwo) + "ranks = [2, 4]\n"));
  Product flags;
  flags.fields["ranks"] = {{"8"}, "--ranks"};
  override_with(suite, flags);
  ASSERT_EQ(jobs_of(suite).size(), 2u);
  EXPECT_EQ(jobs_of(suite)[0].spec.ranks, 8);
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
  EXPECT_EQ(
      refusal(std::string(kTwo) + "tokens = -5\n"),
      ":3: tokens: '-5' is not a valid count; write digits with an optional K or M, at least 1");
  EXPECT_EQ(
      refusal(std::string(kTwo) + "tokens = 1.5\n"),
      ":3: tokens: '1.5' is not a valid count; write digits with an optional K or M, at least 1");
  EXPECT_EQ(refusal(std::string(kTwo) + "cached = 1.5\n"),
            ":3: cached: '1.5' is not a valid share; must be a number from 0 to below 1, like "
            "0.9, or a count of tokens, like 512");
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
  EXPECT_EQ(refusal(std::string(kTwo) + "window = 8\n"),
            ":3: window: no mask of these runs has a window; name one, like --mask sliding_window");
  EXPECT_EQ(refusal("workload = \"pile\"\n").substr(0, 24), "no strategy is given; na");
}

TEST_F(SuiteFile, latents_are_in_the_shape_of_the_runs_that_send_them) {
  const auto suite = [](const std::string& strategy) {
    return "strategy = \"" + strategy +
           "\"\nworkload = \"pile\"\nshape = \"deepseek_v3\"\nbackend = \"plan\"\n";
  };
  const auto latent_of = [&](const std::string& strategy) {
    return jobs_of(read_suite(write(suite(strategy)))).at(0).spec.shape.latent_size;
  };
  EXPECT_EQ(latent_of("ring"), 0);
  EXPECT_EQ(latent_of("ring:kv=heads"), 0);
  EXPECT_EQ(latent_of("ring:kv=latent"), 512);
  EXPECT_EQ(refusal(suite("pass_q:kv=latent")),
            ":1: strategy: unknown option of pass_q 'kv'; there are none");
}

TEST_F(SuiteFile, bad_latents) {
  EXPECT_EQ(
      refusal("strategy = \"ring:kv=latent\"\nworkload = \"pile\"\nshape = \"tiny\"\n"),
      ":3: shape: ring.kv=latent needs a shape with a latent_size, like deepseek_v3; tiny has "
      "none");
  EXPECT_EQ(refusal("strategy = \"ring:kv=latent\"\nworkload = \"pile\"\nshape = "
                    "\"deepseek_v3\"\nbackend = \"threads\"\n"),
            ":3: shape: ring.kv=latent is not supported by backend threads, which makes no K and V "
            "of latents; plan and simulate do");
}

// As in multi-head latent attention.
TEST_F(SuiteFile, bad_kernel_for_value_heads_of_another_size) {
  const std::string shape =
      write("query_heads = 8\nkv_heads = 8\nhead_dim = 192\nvalue_head_dim = 128\n");
  const std::string suite = "strategy = \"ring\"\nworkload = \"pile\"\nshape = \"" + shape + "\"\n";
  const std::string path = testing::TempDir() + "/latent_suite.toml";
  const auto kernels = [&](const std::string& kernel) {
    std::ofstream(path) << suite + "kernel = \"" + kernel + "\"\n";
    return jobs_of(read_suite(path)).at(0).spec.kernel;
  };
  EXPECT_EQ(kernels("auto"), "reference");
  EXPECT_EQ(kernels("reference"), "reference");
  try {
    kernels("fused");
    FAIL();
  } catch (const UserError& error) {
    const std::string expected =
        ":4: kernel: kernel 'fused' requires value_head_dim = head_dim, not 128 and 192; kernel "
        "'reference' supports this";
    EXPECT_TRUE(std::string(error.what()).ends_with(expected)) << error.what();
  }
}

TEST(Choices, values_split_at_commas_but_not_inside_a_distribution) {
  EXPECT_EQ(split_values("pile,lognormal:mean=2K,sigma=1,wlb_llm"),
            (std::vector<std::string>{"pile", "lognormal:mean=2K,sigma=1", "wlb_llm"}));
  EXPECT_EQ(split_values("docs:37,pad=2,4K,pile,tree:prompt=5,length=2"),
            (std::vector<std::string>{"docs:37,pad=2,4K", "pile", "tree:prompt=5,length=2"}));
  EXPECT_EQ(split_values("8K,16K"), (std::vector<std::string>{"8K", "16K"}));
  EXPECT_EQ(split_values("8K"), (std::vector<std::string>{"8K"}));
  EXPECT_TRUE(split_values(",").empty());
}

Suite suite_of(const std::map<std::string, std::string>& fields) {
  Suite suite;
  suite.products.resize(1);
  suite.products[0].fields = {{"strategy", {{"ring"}, ""}}, {"workload", {{"pile"}, ""}}};
  for (const auto& [name, value] : fields) suite.products[0].fields[name] = {{value}, "--" + name};
  return suite;
}

TEST(RunFields, every_row_reads_what_it_writes) {
  const RunSpec spec = jobs_of(suite_of({})).at(0).spec;
  for (const RunField& field : run_fields()) {
    const std::string written = field_text(field, spec);
    if (written.empty()) continue;
    RunSpec again = spec;
    set_field(field, again, written);
    EXPECT_EQ(again, spec) << field.name;
  }
}

TEST(Jobs, runs_of_one_problem_share_its_packs) {
  const std::vector<Job> jobs = jobs_of(suite_of({{"strategy", "all"}, {"packs", "3"}}));
  ASSERT_GT(jobs.size(), 10u);
  for (const Job& job : jobs) EXPECT_EQ(job.batches, jobs[0].batches);
  EXPECT_EQ(jobs[0].batches->size(), 3u);
}

// The id of a run changes with what its names stand for, not only with the names.
TEST(Jobs, a_changed_file_is_another_run) {
  const std::string lengths = "5\n6\n7\n";
  const TestFile before("lengths.txt", lengths);
  const Suite suite = suite_of({{"workload", before.path()}, {"tokens", "64"}});
  const std::string id = run_id(jobs_of(suite).at(0).spec);
  EXPECT_EQ(run_id(jobs_of(suite).at(0).spec), id);
  std::ofstream(before.path()) << lengths + "50\n";
  EXPECT_NE(run_id(jobs_of(suite).at(0).spec), id);
}

TEST(Jobs, a_changed_cluster_is_another_run_unless_only_its_words_changed) {
  const std::string text = find_preset(PresetKind::clusters, "h100").text;
  const TestFile file("mine.toml", text);
  const Suite suite = suite_of({{"cluster", file.path()}, {"backend", "simulate"}});
  const std::string id = run_id(jobs_of(suite).at(0).spec);
  std::ofstream(file.path()) << "# a comment\n" + text;
  EXPECT_EQ(run_id(jobs_of(suite).at(0).spec), id);
  std::string slower = text;
  const std::string key = "\ninter_node_latency_microseconds = ";
  slower.insert(slower.find(key) + key.size(), "1");
  std::ofstream(file.path()) << slower;
  EXPECT_NE(run_id(jobs_of(suite).at(0).spec), id);
}

TEST(Jobs, a_changed_planner_is_another_run) {
  const TestFile planner("planner.py", "one");
  const Suite suite = suite_of({{"strategy", "exec:" + planner.path()}, {"backend", "plan"}});
  const std::string id = run_id(jobs_of(suite).at(0).spec);
  std::ofstream(planner.path()) << "two";
  EXPECT_NE(run_id(jobs_of(suite).at(0).spec), id);
}

TEST(Jobs, a_planner_has_options) {
  const TestFile planner("a:planner.py", "");
  const std::string strategy = "exec:" + planner.path();
  const auto spec = [&](const std::string& options) {
    return jobs_of(suite_of({{"strategy", strategy + options}, {"backend", "plan"}})).at(0).spec;
  };
  EXPECT_EQ(spec("").strategy, strategy);
  EXPECT_EQ(spec(":alpha=2,beta=a:b").strategy, strategy);
  EXPECT_EQ(strategy_text(spec(":alpha=2")), strategy + ":alpha=2");
  EXPECT_EQ(spec(":alpha=2,beta=a=b").options,
            (std::map<std::string, std::string>{{"alpha", "2"}, {"beta", "a=b"}}));
  EXPECT_NE(run_id(spec(":alpha=2")), run_id(spec(":alpha=3")));
}

// One resolver reads a file once, whatever happens to it meanwhile.
TEST(Jobs, all_runs_of_a_sweep_have_the_same_machine) {
  const TestFile file("mine.toml", find_preset(PresetKind::clusters, "h100").text);
  Suite suite = suite_of({{"cluster", file.path()}, {"backend", "simulate"}});
  suite.products[0].fields["ranks"] = {{"8", "16"}, "--ranks"};
  const std::vector<Job> jobs = jobs_of(suite);
  std::filesystem::remove(file.path());
  ASSERT_EQ(jobs.size(), 2u);
  EXPECT_EQ(jobs[0].cluster().nodes, 1);
  EXPECT_EQ(jobs[1].cluster().nodes, 2);
  EXPECT_EQ(jobs[1].machine->name, "mine");
}

TEST(Outcomes, the_command_repeats_the_run) {
  const Suite suite = suite_of({{"workload", "lognormal:mean=2K,sigma=1"}});
  const std::string command = command_of(jobs_of(suite).at(0).spec);
  EXPECT_NE(command.find("cpbench run --strategy ring --workload lognormal:mean=2K,sigma=1 "),
            std::string::npos)
      << command;
}

}  // namespace
}  // namespace cpbench
