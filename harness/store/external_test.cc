#include "harness/store/external.h"

#include <gtest/gtest.h>

#include <chrono>

#include "harness/plan/check.h"
#include "harness/plan/error_of_for_tests.h"
#include "harness/plan/errors.h"
#include "harness/source_tree/source_tree.h"
#include "harness/store/plan_json.h"
#include "harness/store/sample_result_for_tests.h"
#include "harness/store/temporary_folder_for_tests.h"

namespace cpbench {
namespace {

Problem problem_with(std::vector<int64_t> lengths, int32_t ranks) {
  Problem problem{{std::move(lengths)}, {4, 2, 32, 32, Dtype::float64, 0, 0}, {}};
  problem.cluster.gpus_per_node = ranks;
  return problem;
}

class External : public ::testing::Test {
 protected:
  // A shell script that acts as a planner.
  std::string script(const std::string& body) {
    const std::string path = folder_ / ("planner_" + std::to_string(++count_) + ".sh");
    std::ofstream(path) << "#!/bin/sh\n" << body << "\n";
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    return path;
  }
  std::string error(const std::string& program, double timeout = 20) {
    try {
      external_plan(program, {}, problem_with({64}, 4), Deadline(timeout));
    } catch (const UserError& error) {
      const std::string text = error.what();
      EXPECT_EQ(text.find('\n'), std::string::npos) << text;
      const std::string head = "exec:" + program + " ";
      EXPECT_TRUE(text.starts_with(head)) << text;
      return text.substr(std::min(head.size(), text.size()));
    }
    return "no error";
  }
  TemporaryFolder folder_;
  int count_ = 0;
};

TEST_F(External, TheExampleGivesCorrectPlans) {
  const std::string example = source_tree() / "scripts/examples/external_planner.py";
  const std::vector<std::pair<std::vector<int64_t>, int32_t>> problems = {
      {{64}, 4}, {{1}, 1}, {{1}, 4}, {{7, 1, 13, 29}, 4}, {{5, 5, 5}, 7}, {{100}, 1}};
  for (const auto& [lengths, ranks] : problems) {
    for (Mask mask : {Mask::document_causal, Mask::causal, Mask::document_full}) {
      Problem problem = problem_with(lengths, ranks);
      problem.batch.mask = mask;
      const Plan plan = external_plan(example, {}, problem);
      const CheckReport report = check(problem, plan);
      EXPECT_TRUE(report.ok()) << ranks << " ranks: " << report.violations.front().text();
    }
  }
}

TEST_F(External, OptionsAreArguments) {
  const std::string planner = script("echo \"$*\" >&2; exit 3");
  const std::string words = error_of(
      [&] { external_plan(planner, {{"beta", "x y"}, {"alpha", "2"}}, problem_with({64}, 4)); });
  EXPECT_TRUE(words.ends_with(": --alpha=2 --beta=x y")) << words;
}

TEST_F(External, BothDirectionsMayBeLarge) {
  // Larger than any pipe buffer both ways, and the plan is written before the problem is read.
  const Problem problem = problem_with(std::vector<int64_t>(200'000, 3), 64);
  const Plan plan = sample_plan(problem, "ring");
  std::ofstream(folder_ / "plan.json") << plan_json(plan);
  const std::string file = folder_ / "plan.json";
  EXPECT_EQ(external_plan(script("cat " + file + "; cat >/dev/null"), {}, problem), plan);
  EXPECT_EQ(external_plan(script("cat >/dev/null; cat " + file), {}, problem), plan);
  EXPECT_EQ(external_plan(script("exec 0<&-; cat " + file), {}, problem), plan);  // reads nothing
}

TEST_F(External, LongStandardErrorsDoNotBlock) {
  const std::string chatty = script(
      "i=0; while [ $i -lt 20000 ]; do echo word $i >&2; "
      "i=$((i+1)); done; exit 1");
  EXPECT_EQ(error(chatty), "ended with exit status 1: word 19999");
}

TEST_F(External, FailuresAreNamed) {
  EXPECT_EQ(error("/nowhere/planner"),
            "cannot be started: No such file or directory; give the "
            "path of an executable program");
  std::ofstream(folder_ / "not_executable") << "#!/bin/sh\n";
  EXPECT_TRUE(error(folder_ / "not_executable").starts_with("cannot be started: Permission"));
  EXPECT_EQ(error(script("echo first >&2; echo 'bad thing' >&2; echo >&2; exit 3")),
            "ended with exit status 3: bad thing");
  EXPECT_EQ(error(script("exit 1")), "ended with exit status 1");
  EXPECT_EQ(error(script("kill -9 $$")), "was ended by signal 9 (Killed)");
  EXPECT_EQ(error(script("echo hello; echo note >&2")).substr(0, 50),
            "did not write a valid plan: the plan is not JSON: ");
  EXPECT_EQ(error(script("cat >/dev/null")),
            "did not write a valid plan: the plan is not JSON: it is empty");
  EXPECT_EQ(error(script("echo '{}'")),
            "did not write a valid plan: plan lacks the key 'backward'");
}

TEST_F(External, ExitStatus77MeansUnsupported) {
  const std::string program = script("echo '3 heads on 4 ranks' >&2; exit 77");
  try {
    external_plan(program, {}, problem_with({64}, 4));
    ADD_FAILURE();
  } catch (const Unsupported& error) {
    EXPECT_EQ(error.what(),
              "exec:" + program + " does not support this problem: 3 heads on 4 ranks");
  }
}

TEST_F(External, AHangingProgramEndsWithItsChildren) {
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(error(script("echo waiting >&2; sleep 60; exit 0"), 0.3),
            "did not end within 0.3 s: waiting");
  // A child that it leaves behind keeps its output open.
  EXPECT_EQ(error(script("sleep 60 & echo left >&2; exit 3")), "ended with exit status 3: left");
  // It closes its outputs, but does not end.
  EXPECT_EQ(error(script("exec >&- 2>&-; sleep 60"), 0.3), "did not end within 0.3 s");
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10));
}

TEST_F(External, OutputIsBoundedByTheProblem) {
  EXPECT_EQ(error(script("yes")), "wrote more than 64 MiB");
  EXPECT_EQ(most_plan_bytes(problem_with({1 << 20}, 4)),
            (size_t{1} << 26) + (size_t{1} << 30) + (size_t{16} << 10));
  EXPECT_EQ(most_plan_bytes(problem_with({1 << 25}, 1024)), size_t{1} << 32);
}

TEST_F(External, ControlCharactersAreEscaped) {
  EXPECT_EQ(error(script("printf '\\033[2Jgone\\n' >&2; exit 1")),
            "ended with exit status 1: \\x1b[2Jgone");
  EXPECT_EQ(error(script("printf '{\"\\033[2J\": 1}'")).find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace cpbench
