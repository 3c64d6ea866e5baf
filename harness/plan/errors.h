// Errors that a user can correct. Every other error is a bug of cpbench and ends as any C++
// exception does.
#pragma once

#include <stdexcept>
#include <string>

namespace cpbench {

// Bad input: one line that names the file, key or value and what it must be. The exit code is 2.
class UserError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The strategy does not support this problem, with the numbers that say why. This is the status of
// a run, not a failure.
class Unsupported : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace cpbench
