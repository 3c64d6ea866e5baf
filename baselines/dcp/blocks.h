// DCP's blocks. A data block is consecutive tokens of one document (of the pack, if the mask is
// causal). A compute block is the attention of one data block's queries to another's keys, in one
// group of heads.
//
//   one causal document of 6, blocks of 2:  data 0-2, 2-4, 4-6;  compute (0,0) (1,0) (1,1) (2,0)
//   ...
#pragma once

#include <cstdint>
#include <vector>

#include "harness/plan/mask.h"

namespace cpbench::dcp {

struct ComputeBlock {
  int32_t q = 0;      // a data block
  int32_t kv = 0;     // a data block
  int32_t group = 0;  // of heads
  int64_t pairs = 0;  // visible (query, key) pairs, > 0
};

struct Blocks {
  std::vector<Range> data;            // in token order; a partition of the pack
  std::vector<ComputeBlock> compute;  // sorted by q, then kv, then group
  int32_t head_groups = 1;
};

// Blocks of `block_tokens`; the last block of a document may be shorter.
Blocks make_blocks(const MaskIndex& mask, int64_t block_tokens, int32_t head_groups = 1);

// The published 1,024 tokens. Fewer if ranks would get fewer than 4 blocks each, and 2, 4, 8, ...
// times as many if there would be more than 2^17 compute blocks.
int64_t default_block_tokens(const MaskIndex& mask, int32_t ranks, int32_t head_groups = 1);

}  // namespace cpbench::dcp
