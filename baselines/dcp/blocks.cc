#include "baselines/dcp/blocks.h"

#include <algorithm>

namespace cpbench::dcp {
namespace {

constexpr int64_t kPublishedBlockTokens = 1024;
constexpr int64_t kBlocksPerRank = 4;
// Partitioning time is near-linear in the number of compute blocks. This many take about two
// seconds at 64 ranks.
constexpr int64_t kMostComputeBlocks = int64_t{1} << 17;

template <typename Visit>
void for_each_document(const MaskIndex& mask, Visit visit) {
  for (Range document; document.end < mask.tokens();) {
    document = mask.block_of(document.end);
    visit(document);
  }
}

// The data blocks, counted from the document's first, with keys that the queries can see.
Range seen_blocks(const MaskIndex& mask, Range document, Range queries, int64_t block_tokens) {
  const Range keys = mask.visible_hull(queries, document);
  return {(keys.begin - document.begin) / block_tokens,
          (keys.end - document.begin + block_tokens - 1) / block_tokens};
}

int64_t count_compute_blocks(const MaskIndex& mask, int64_t block_tokens, int64_t limit) {
  int64_t count = 0;
  for_each_document(mask, [&](Range document) {
    for (int64_t t = document.begin; t < document.end && count <= limit; t += block_tokens) {
      const Range queries{t, std::min(t + block_tokens, document.end)};
      count += seen_blocks(mask, document, queries, block_tokens).size();
    }
  });
  return count;
}

}  // namespace

Blocks make_blocks(const MaskIndex& mask, int64_t block_tokens) {
  Blocks blocks;
  for_each_document(mask, [&](Range document) {
    const auto first = static_cast<int32_t>(blocks.data.size());
    for (int64_t t = document.begin; t < document.end; t += block_tokens) {
      blocks.data.push_back({t, std::min(t + block_tokens, document.end)});
    }
    for (auto q = first; q < static_cast<int32_t>(blocks.data.size()); ++q) {
      const Range queries = blocks.data[q];
      const Range seen = seen_blocks(mask, document, queries, block_tokens);
      for (int64_t k = seen.begin; k < seen.end; ++k) {
        const auto kv = static_cast<int32_t>(first + k);
        const int64_t pairs = mask.pairs({&queries, 1}, {&blocks.data[kv], 1});
        if (pairs > 0) blocks.compute.push_back({q, kv, pairs});
      }
    }
  });
  return blocks;
}

int64_t default_block_tokens(const MaskIndex& mask, int32_t ranks) {
  const int64_t share = kBlocksPerRank * ranks;
  int64_t tokens =
      std::clamp<int64_t>((mask.tokens() + share - 1) / share, 1, kPublishedBlockTokens);
  while (count_compute_blocks(mask, tokens, kMostComputeBlocks) > kMostComputeBlocks &&
         tokens < mask.tokens()) {
    tokens *= 2;
  }
  return tokens;
}

}  // namespace cpbench::dcp
