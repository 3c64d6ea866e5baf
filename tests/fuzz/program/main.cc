// The program behind scripts/fuzz, which has the help.
//
//   cpbench_fuzz TARGET|all SECONDS SEED
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <limits>

#include "harness/plan/nearest.h"
#include "harness/presets/split_text.h"
#include "tests/fuzz/mutate.h"
#include "tests/fuzz/trial.h"

namespace cpbench {
namespace {

using Clock = std::chrono::steady_clock;

// Whether all inputs passed. The first that did not is kept in the current folder.
bool fuzz(const FuzzTarget& target, double seconds, uint64_t seed) {
  const std::vector<std::string> inputs = inputs_of(target);
  const auto end = Clock::now() + std::chrono::duration<double>(seconds);
  const auto input_of = [&](int64_t i) {
    return i < std::ssize(inputs) ? inputs[i] : fuzz_case(inputs, seed, i - std::ssize(inputs));
  };
  int64_t ran = 0;
  const auto failure = run_trials(
      target, std::numeric_limits<int64_t>::max(), input_of, [&] { return Clock::now() >= end; },
      ran);
  if (!failure) {
    fmt::print("{}: {} inputs passed, seed {}\n", target.name, ran, seed);
    return true;
  }
  const std::string path = fmt::format("fuzz-{}-{}-{}", target.name, seed, failure->index);
  std::ofstream(path, std::ios::binary) << input_of(failure->index);
  fmt::print("{}: input {} of seed {} failed: {}; it is kept as {}\n", target.name, failure->index,
             seed, failure->reason, path);
  return false;
}

int run(const std::string& name, double seconds, uint64_t seed) {
  std::vector<std::string> names = {"all"};
  for (const FuzzTarget& target : fuzz_targets()) names.emplace_back(target.name);
  if (name != "all" && !find_target(name)) {
    fmt::print(stderr, "fuzz: {}\n", unknown_name("target", name, names));
    return 2;
  }
  bool passed = true;
  for (const FuzzTarget& target : fuzz_targets()) {
    if (name == "all" || name == target.name) passed &= fuzz(target, seconds, seed);
  }
  return passed ? 0 : 1;
}

}  // namespace
}  // namespace cpbench

int main(int argc, char** argv) {
  const auto seconds = argc == 4 ? cpbench::number_of<double>(argv[2]) : std::nullopt;
  const auto seed = argc == 4 ? cpbench::number_of<uint64_t>(argv[3]) : std::nullopt;
  if (!seconds || !seed) {
    std::fputs("fuzz: expects TARGET SECONDS SEED; see scripts/fuzz --help\n", stderr);
    return 2;
  }
  return cpbench::run(argv[1], *seconds, *seed);
}
