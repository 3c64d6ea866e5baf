// The program behind scripts/soak, which says what it does.
#include <CLI/CLI.hpp>
#include <chrono>
#include <iostream>

#include "tests/soak/reproduce.h"
#include "tests/soak/shrink.h"

namespace cpbench::soak {
namespace {

constexpr int64_t kPlansPerRun = 5;
constexpr int64_t kMostFailures = 10;  // after so many it is time to mend them
constexpr double kSecondsPerLine = 60;

struct Limits {
  double seconds = 10;
  int64_t plans = 0, runs = 0;  // 0: as many as the time allows
  uint64_t seed = 1;
};

class Soak {
 public:
  explicit Soak(const Limits& limits) : limits_(limits) {}

  int run() {
    for (uint64_t number = 0; !is_done() && failures_ < kMostFailures; ++number) {
      std::mt19937_64 random(limits_.seed * 1'000'003 + number);
      Case drawn = draw(random, strategies());
      drawn.run = runs_ * kPlansPerRun <= plans_;
      if (counted() && runs_ >= limits_.runs) drawn.run = false;
      const auto trouble = trouble_of(drawn);
      if (!trouble) {
        ++unsupported_;
        continue;
      }
      ++plans_;
      runs_ += drawn.run;
      if (!trouble->empty()) report(drawn, number);
      if (seconds() > next_line_) {
        next_line_ = seconds() + kSecondsPerLine;
        print_counts();
      }
    }
    print_counts();
    return failures_ > 0 ? 1 : 0;
  }

 private:
  bool counted() const { return limits_.plans > 0 || limits_.runs > 0; }
  bool is_done() const {
    if (counted()) return plans_ >= limits_.plans && runs_ >= limits_.runs;
    return seconds() >= limits_.seconds;
  }
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

  void report(const Case& failing, uint64_t number) {
    ++failures_;
    const Case minimal = shrink(failing, [](const Case& c) {
      const auto trouble = trouble_of(c);
      return trouble && !trouble->empty();
    });
    std::cout << "FAILED: case " << number << " of seed " << limits_.seed << "\n"
              << *trouble_of(minimal) << script_of(minimal) << std::endl;
  }

  void print_counts() const {
    std::cout << "seed " << limits_.seed << ", " << static_cast<int64_t>(seconds())
              << " s: " << plans_ << " planned and checked, " << runs_
              << " of them run and simulated, " << unsupported_ << " not supported, " << failures_
              << " failed" << std::endl;
  }

  Limits limits_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  double next_line_ = kSecondsPerLine;
  int64_t plans_ = 0, runs_ = 0, unsupported_ = 0, failures_ = 0;
};

int run_soak(int argc, char** argv) {
  CLI::App app("Draws random problems, and plans, checks, runs and simulates them.");
  Limits limits;
  app.add_option("seconds", limits.seconds, "how long to draw problems")
      ->check(CLI::PositiveNumber);
  app.add_option("--seed", limits.seed, "seed of the problems [1]");
  app.add_option("--plans", limits.plans, "how many problems to plan and check, whatever the time");
  app.add_option("--runs", limits.runs, "how many of them to run and simulate");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return Soak(limits).run();
}

}  // namespace
}  // namespace cpbench::soak

int main(int argc, char** argv) { return cpbench::soak::run_soak(argc, argv); }
