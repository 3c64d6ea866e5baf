// Every target: its seeds, the files of its corpus, and a few hundred mutations of them.
// `scripts/fuzz TARGET SECONDS` runs more.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <ctime>

#include "harness/plan/errors.h"
#include "tests/fuzz/mutate.h"
#include "tests/fuzz/trial.h"

namespace cpbench {
namespace {

bool never() { return false; }

class Fuzz : public ::testing::TestWithParam<FuzzTarget> {};

TEST_P(Fuzz, seeds_and_corpus) {
  const std::vector<std::string> inputs = inputs_of(GetParam());
  int64_t ran = 0;
  const auto failure =
      run_trials(GetParam(), std::ssize(inputs), [&](int64_t i) { return inputs[i]; }, never, ran);
  if (failure) FAIL() << "input " << failure->index << ": " << failure->reason;
  EXPECT_EQ(ran, std::ssize(inputs));
}

TEST_P(Fuzz, mutations) {
  constexpr int64_t kCases = 300;
  constexpr uint64_t kSeed = 1;
  const std::vector<std::string> inputs = inputs_of(GetParam());
  int64_t ran = 0;
  const auto failure = run_trials(
      GetParam(), kCases, [&](int64_t i) { return fuzz_case(inputs, kSeed, i); }, never, ran);
  if (failure) {
    FAIL() << "case " << failure->index << ": " << failure->reason
           << "; to keep the input: scripts/fuzz " << GetParam().name << " 10 --seed " << kSeed;
  }
  EXPECT_EQ(ran, kCases);
}

INSTANTIATE_TEST_SUITE_P(Targets, Fuzz, ::testing::ValuesIn(fuzz_targets()),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(FuzzCase, follows_from_the_seed) {
  const std::vector<std::string> inputs = {"tokens = 8192\n", "a"};
  EXPECT_EQ(fuzz_case(inputs, 1, 5), fuzz_case(inputs, 1, 5));
  int different = 0;
  for (int64_t i = 0; i < 100; ++i) {
    different += fuzz_case(inputs, 1, i) != fuzz_case(inputs, 2, i);
  }
  EXPECT_GT(different, 80);
}

// How a reader may fail, each with the reason that is reported.
struct Failure {
  const char* input;
  const char* reason;
};

void fail_as_told(std::string_view input) {
  if (input == "many lines") throw UserError("a\nb");
  if (input == "long") throw UserError(std::string(10000, 'a'));
  if (input == "exception") throw std::out_of_range("too far");
  if (input == "unknown") throw 1;
  if (input == "exit") _exit(3);
  if (input == "crash") std::abort();
  if (input == "hang") {
    while (std::clock() >= 0) continue;
  }
  if (input == "memory") {
    std::vector<char> bytes(size_t{1} << 31);
    throw UserError(std::string(1, bytes.back() + 'a'));
  }
  throw UserError("not valid");
}

TEST(Trials, every_way_to_fail_is_reported_with_its_input) {
  const FuzzTarget target{"told", nullptr, fail_as_told};
  for (const Failure& f : std::vector<Failure>{{"many lines", "a refusal of several lines"},
                                               {"long", "a refusal of 10000 bytes"},
                                               {"exception", "too far"},
                                               {"unknown", "an exception of an unknown type"},
                                               {"exit", "the process ended itself"},
                                               {"crash", "killed by signal 6"},
                                               {"hang", "killed by signal"},
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
                                               {"memory", "std::bad_alloc"}
#endif
       }) {
    const std::vector<std::string> inputs = {"a", "b", f.input, "c"};
    int64_t ran = 0;
    const auto failure =
        run_trials(target, 4, [&](int64_t i) { return inputs[i]; }, never, ran, {.seconds = 1});
    ASSERT_TRUE(failure) << f.input;
    EXPECT_EQ(failure->index, 2) << f.input;
    EXPECT_EQ(ran, 2) << f.input;
    EXPECT_NE(failure->reason.find(f.reason), std::string::npos) << failure->reason;
  }
}

}  // namespace
}  // namespace cpbench
