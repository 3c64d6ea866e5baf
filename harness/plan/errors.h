// Errors a person can mend. Everything else is a defect and ends as any C++ exception does.
#pragma once

#include <stdexcept>
#include <string>

namespace cpbench {

// Bad input: one line that names the file, key or value and what would be right. Exit code 2.
class UserError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The strategy cannot do this problem, with the numbers that say why. A status, not a failure.
class Unsupported : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace cpbench
