// Everything fcp decides, before it is written as a plan: units, their ranks, the transfers of K,V
// and the stages they are sent in.
#pragma once

#include <cstdint>
#include <vector>

#include "harness/plan/problem.h"
#include "harness/plan/range_sets.h"
#include "methods/fcp/distribute.h"
#include "methods/fcp/transfers.h"
#include "methods/fcp/units.h"

namespace cpbench::fcp {

// The paper's ablation arms (its Table 2): each adds one thing to the one before.
enum class Arm : uint8_t {
  base,                  // all K,V travels, then it is attended block by block
  pipelined,             // unit by unit, in random order, while attending the unit before
  conflict_free,         // one colour after another
  coalesced,             // `coalesce` colours at a time
  reshuffle_overlapped,  // and tokens are relaid beside attention, each job's when it is due
};

struct FcpOptions {
  int64_t block_tokens = 0;  // 0: default_block_tokens
  UnitShape shape = UnitShape::zigzag;
  DistributeOptions distribute;
  bool permute = true;
  bool deduplicate = true;
  bool reshuffle = true;  // false: tokens are at home where their units are
  int32_t coalesce = 16;
  Arm arm = Arm::reshuffle_overlapped;
  uint64_t seed = 1;  // of the random order
};

// 4096, or an eighth of a rank's tokens where that is less: as many units per rank as the paper has
// with 32K tokens, and always placeable with delta 1/8. At least 1.
int64_t default_block_tokens(int64_t tokens, int32_t ranks);

struct Slot {
  int32_t stage = 0;
  int32_t substage = 0;
};

struct Schedule {
  Units units;
  int64_t token_limit = 0;       // of a rank, in the placement
  std::vector<int32_t> rank_of;  // of each unit
  std::vector<Range> home;       // per rank, the even contiguous split; not reshuffled, all empty
  RangeSets sets;                // of the transfers' tokens
  Needs needs;
  std::vector<Slot> slots;          // of each transfer
  std::vector<int32_t> local_step;  // of each job (agenda.h)
  int32_t stages = 0;
  int32_t substages_per_stage = 1;
  int32_t degree = 0;  // D
  bool deduplicated = true;
  bool reshuffled = true;
};

// Throws Unsupported where a unit fits on no rank.
Schedule make_schedule(const Problem& problem, const FcpOptions& options);

}  // namespace cpbench::fcp
