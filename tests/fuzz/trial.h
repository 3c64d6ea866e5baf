// Runs inputs in a child process with bounds on memory and processor time, so that a crash is a
// result like any other.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "tests/fuzz/fuzz_target.h"

namespace cpbench {

struct TrialBounds {
  int64_t memory_bytes = int64_t{1} << 30;  // beyond what the process has when it starts
  int32_t seconds = 10;                     // of one input; ten times as many of wall-clock time
};

struct TrialFailure {
  int64_t index = 0;   // of the input
  std::string reason;  // "killed by signal 11 (Segmentation fault)", "std::bad_alloc: ..."
};

// Runs input_of(0), input_of(1), ... until one fails, `count` inputs ran or `stop` returns true.
// `ran` is the number of inputs that passed.
std::optional<TrialFailure> run_trials(const FuzzTarget& target, int64_t count,
                                       const std::function<std::string(int64_t)>& input_of,
                                       const std::function<bool()>& stop, int64_t& ran,
                                       TrialBounds bounds = {});

}  // namespace cpbench
