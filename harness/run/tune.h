// Every strategy with the options that suit the problem: successive halving over the values that
// strategies declare (candidates.h) and over packs.
//
// Candidates that change one option run first, on one pack, and then those combinations of which no
// change was slow alone (over 1.5 times the time of the strategy's fastest). The fastest quarter of
// each strategy's runs on four times as many, until all packs are reached. The candidates' results
// are kept next to the folder, in <folder>-tuning, so that an interrupted search resumes; the
// results of the strategy as it was given and of its best candidate are in the folder.
//
//   for (const Tuned& tuned : tune(suite, {.sweep = options}, interrupt)) ...
#pragma once

#include <optional>
#include <vector>

#include "harness/run/shard.h"
#include "harness/run/sweep.h"

namespace cpbench {

struct TuneOptions {
  SweepOptions sweep;
  std::optional<Shard> shard{};  // runs only a part of the (problem, strategy) pairs
  // A strategy whose best candidate takes more than so many times as long as the fastest strategy
  // of its problem is not run with combinations of options, nor on more packs; 0: none is left
  // behind.
  double left_behind = 0;
};

struct Tuned {    // one strategy on one problem
  Outcome given;  // the strategy as it was given
  Outcome best;   // its fastest candidate; the same run as `given` where none is faster
  // Time divided by that of the problem's fastest strategy, both of their best candidates and on
  // the same packs; 0 without a time.
  double slowdown = 0;

  bool is_tuned() const { return best.spec.options != given.spec.options; }
};

// In the order of the suite's products. Throws UserError for a suite whose runs have no time, or
// are run by several processes.
std::vector<Tuned> tune(const Suite& suite, const TuneOptions& options, Interrupt& interrupt);

// Plans and checks every candidate on one pack, as the first round has it; runs and writes nothing.
// `core_seconds` are of all rounds.
std::vector<Outcome> dry_tune(const Suite& suite, const SweepOptions& sweep);

// Runs and whatever else: the given ones and, where they differ, the best ones behind them.
std::vector<Outcome> outcomes_of(const std::vector<Tuned>& tuned);

}  // namespace cpbench
