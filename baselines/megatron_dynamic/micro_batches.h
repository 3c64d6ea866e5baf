// Megatron-LM's packing-aware scheduler of dynamic context parallelism: which sequences run
// together, on groups of which sizes.
//
//   micro_batches({6144, 2048}, {.per_rank = 4096, .ranks = 2})   // one, of one group: {0, 1} on 2
#pragma once

#include <cstdint>
#include <vector>

#include "harness/strategy/groups.h"

namespace cpbench::megatron_dynamic {

struct Limits {
  int64_t per_rank =
      0;  // tokens that a rank holds of one micro-batch, as far as they are cut evenly
  int32_t ranks = 0;
  bool any_size = true;  // of a group; otherwise powers of two, or all ranks
};

// The fewest ranks that hold so many tokens, of a size that is allowed; may exceed the ranks.
int64_t fewest_ranks(int64_t tokens, const Limits& limits);

// The groups of each micro-batch, on consecutive ranks from 0 on; all ranks have one. `lengths` are
// those of the sequences, of which each must fit the ranks.
std::vector<std::vector<Group>> micro_batches(const std::vector<int64_t>& lengths,
                                              const Limits& limits);

}  // namespace cpbench::megatron_dynamic
