// The plan's operations by rank, in plan order: what a rank attends, sends and receives.
#pragma once

#include <vector>

#include "harness/compile/compile.h"
#include "harness/plan/plan.h"

namespace cpbench {

struct PassIndex {
  PassIndex(const Pass& pass, const Plan& plan, const AttentionShape& shape,
            Collectives collectives);

  std::vector<std::vector<int32_t>> attends;   // per rank: attend numbers, by step
  std::vector<std::vector<int32_t>> outgoing;  // per rank: send numbers, by step
  std::vector<std::vector<int32_t>> incoming;
  std::vector<int64_t> wire_bytes;  // per send: of one (from, to) pair, padding included
  // Per collective that a library runs: its send of each rank's block. Of others nothing.
  std::vector<std::vector<int32_t>> blocks;
};

}  // namespace cpbench
