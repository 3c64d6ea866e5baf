// The operations of a plan by rank, in plan order: what each rank attends, sends and receives.
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
  std::vector<int64_t> wire_bytes;  // per send: of one (sender, receiver) pair, with padding
  // Per collective that a library runs: the send of each rank's block. Empty for other collectives.
  std::vector<std::vector<int32_t>> blocks;
};

}  // namespace cpbench
