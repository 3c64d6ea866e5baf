// The exchanges of a plan: an exchange is all ranks' messages of one sub-stage. They are listed in
// the order of their execution.
//
//   Exchanges(plan).all   // {pass 0, step 0, substage 0}, {pass 0, step 1, substage 0}, ...
#pragma once

#include <cstdint>
#include <vector>

#include "harness/plan/plan.h"

namespace cpbench {

struct Exchange {
  int32_t pass = 0;  // 0 forward, 1 backward
  int32_t step = 0;
  int32_t substage = 0;
  bool operator==(const Exchange&) const = default;
};

struct Exchanges {
  explicit Exchanges(const Plan& plan);
  // The index in `all` of the exchange that has the message with this tag (program.h).
  int32_t of(int32_t tag) const { return of_send[tag & 1][tag >> 1]; }

  std::vector<Exchange> all;
  std::vector<int32_t> of_send[2];  // by pass: the exchange of each of its sends
  int32_t lookahead[2];             // by pass
};

}  // namespace cpbench
