// The stages in which the remote keys of a rank arrive, each behind the attention to what came
// before.
//
// The remote keys of a rank, in token order, are cut into pieces of 512 tokens, or into 64 pieces
// if there are more. The attention to the keys at home (item 0) and the pieces (items 1, 2, ...)
// are dealt to the stages in order and in nearly equal numbers, so the first stage has one piece
// fewer.
//
//   5 pieces in 2 stages: items 0 1 2 | 3 4 5, so the stages bring pieces 1-2 and 3-5
#pragma once

#include <cstdint>
#include <vector>

#include "harness/plan/mask.h"

namespace cpbench::magi {

struct StageCosts {
  double microseconds_per_pair = 1;   // of attention to one (query, key) pair
  double microseconds_per_token = 1;  // of the transfer of K and V of one token
};

// What each rank receives in each stage, [stage][rank]. `homes` has what each rank owns and
// `needed` the keys that it attends. `stages` is how many stages every rank has; 0 lets each rank
// choose 1 to 8, with the least estimated time in whole microseconds, and of equal times the fewest
// stages. The rank with the most stages decides how many there are; the last ones of the others are
// empty.
std::vector<std::vector<Ranges>> stages_of(const MaskIndex& mask, const std::vector<Ranges>& homes,
                                           const std::vector<Ranges>& needed, int32_t stages,
                                           const StageCosts& costs);

}  // namespace cpbench::magi
