// Everything that fcp decides before it writes a plan: units, their ranks, the transfers of K,V and
// the stages in which they are sent.
//
//   const Schedule schedule = make_schedule(problem, {.block_tokens = 4096});
//   schedule.rank_of[0]   // the rank of unit 0
#pragma once

#include <cstdint>
#include <vector>

#include "harness/plan/problem.h"
#include "harness/plan/range_sets.h"
#include "methods/fcp/distribute.h"
#include "methods/fcp/transfers.h"
#include "methods/fcp/units.h"

namespace cpbench::fcp {

// The arms of the paper's ablation (its Table 2). Each adds one thing to the arm before it.
enum class Arm : uint8_t {
  base,                  // all K,V travels first, then it is attended block by block
  pipelined,             // K,V travels unit by unit, in random order, during attention
  conflict_free,         // one colour after another
  coalesced,             // `coalesce` colours at a time
  reshuffle_overlapped,  // tokens also move during attention, when their job needs them
};

struct FcpOptions {
  int64_t block_tokens = 0;  // 0 means default_block_tokens
  UnitShape shape = UnitShape::zigzag;
  DistributeOptions distribute;
  bool permute = true;
  bool deduplicate = true;
  bool reshuffle = true;  // if false, tokens are at home where their units are
  int32_t coalesce = 16;
  Arm arm = Arm::reshuffle_overlapped;
  uint64_t seed = 1;  // of the random order
};

// 4096, or an eighth of a rank's tokens if that is less, and at least 1. This gives as many units
// per rank as the paper has with 32K tokens, and always fits with delta 1/8.
int64_t default_block_tokens(int64_t tokens, int32_t ranks);

struct Slot {
  int32_t stage = 0;
  int32_t substage = 0;
};

struct Schedule {
  Units units;
  int64_t token_limit = 0;       // of a rank, in the placement
  std::vector<int32_t> rank_of;  // of each unit
  std::vector<Range> home;       // per rank, the even contiguous split; empty if not reshuffled
  RangeSets sets;                // the token sets of the transfers
  Needs needs;
  std::vector<Slot> slots;          // of each transfer
  std::vector<int32_t> local_step;  // of each job (agenda.h)
  int32_t stages = 0;
  int32_t substages_per_stage = 1;
  int32_t degree = 0;  // D, the most transfers that one rank sends or receives
  bool deduplicated = true;
  bool reshuffled = true;
};

// Throws Unsupported if a unit fits on no rank.
Schedule make_schedule(const Problem& problem, const FcpOptions& options);

}  // namespace cpbench::fcp
