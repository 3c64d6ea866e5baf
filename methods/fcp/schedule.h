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
  int64_t block_tokens = 0;  // 0 means that it is chosen, as block_tokens() says
  UnitShape shape = UnitShape::zigzag;
  DistributeOptions distribute{};
  bool permute = false;
  bool deduplicate = false;
  bool reshuffle = true;  // if false, tokens are at home where their units are
  int32_t coalesce = 16;
  Arm arm = Arm::reshuffle_overlapped;
  uint64_t seed = 1;  // of the random order
};

// The smallest power of two such that the attention of a unit with another, at the peak, takes as
// long as the transfer of its K,V; 0 if the cluster's rates are unknown. The paper states 2K for
// its GPU-X.
int64_t block_for_overlap(const Problem& problem);

// The tokens of a block, if they are not given: enough for the kernel's efficiency (4096, as in the
// paper's evaluation) and for overlap, but for balance at most an eighth of a rank's tokens, and at
// least 1. An eighth gives as many units per rank as the paper has with 32K tokens, and always fits
// with delta 1/8.
int64_t block_tokens(const Problem& problem, const FcpOptions& options);

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
