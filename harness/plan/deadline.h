// When a piece of work must have ended. The work gets it as an argument and asks it now and then.
//
//   const Deadline deadline(120);                                   // seconds from now
//   for (...) { deadline.require("the check of the plan"); ... }    // throws DidNotEnd
#pragma once

#include <chrono>
#include <limits>
#include <string>

#include "harness/plan/errors.h"
#include "harness/plan/seconds_text.h"

namespace cpbench {

// "the check of the plan did not end within 120 s"
class DidNotEnd : public UserError {
 public:
  using UserError::UserError;
};

class Deadline {
 public:
  Deadline() = default;  // never
  explicit Deadline(double seconds)
      : seconds_(seconds),
        end_(Clock::now() +
             std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds))) {}

  double seconds_left() const {  // infinite if there is no deadline
    if (seconds_ == kNever) return kNever;
    return std::chrono::duration<double>(end_ - Clock::now()).count();
  }
  bool passed() const { return seconds_left() <= 0; }
  std::string text() const { return "did not end within " + seconds_text(seconds_); }
  void require(const std::string& what) const {
    if (passed()) throw DidNotEnd(what + " " + text());
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr double kNever = std::numeric_limits<double>::infinity();
  double seconds_ = kNever;
  Clock::time_point end_{};
};

}  // namespace cpbench
