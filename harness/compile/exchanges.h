// The exchanges of a plan: all ranks' messages of one sub-stage, in the order of their execution.
#pragma once

#include <cstdint>
#include <vector>

#include "harness/plan/plan.h"

namespace cpbench {

struct Exchange {
  int32_t pass = 0;
  int32_t step = 0;
  int32_t substage = 0;
  bool operator==(const Exchange&) const = default;
};

struct Exchanges {
  explicit Exchanges(const Plan& plan);
  // Of a message's tag (program.h).
  int32_t of(int32_t tag) const { return of_send[tag & 1][tag >> 1]; }

  std::vector<Exchange> all;
  std::vector<int32_t> of_send[2];  // by pass: of each of its sends
  int32_t lookahead[2];             // by pass
};

}  // namespace cpbench
