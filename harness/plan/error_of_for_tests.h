// For tests: what a call throws, as text.
//
//   EXPECT_EQ(error_of([&] { validate(problem); }), "kv_heads is 3; must be ...");
#pragma once

#include <string>

#include "harness/plan/errors.h"

namespace cpbench {

// The message of the exception; "" if the call throws none.
template <typename Error = UserError, typename Call>
std::string error_of(const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

}  // namespace cpbench
