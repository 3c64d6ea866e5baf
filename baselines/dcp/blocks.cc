#include "baselines/dcp/blocks.h"

#include <algorithm>

namespace cpbench::dcp {
namespace {

constexpr int64_t kPublishedBlockTokens = 1024;
constexpr int64_t kBlocksPerRank = 4;
// Partitioning time is near-linear in the number of compute blocks. This many take about two
// seconds at 64 ranks.
constexpr int64_t kMostComputeBlocks = int64_t{1} << 17;

// The data blocks: of each document, `block_tokens` after `block_tokens`.
std::vector<Range> cut(const MaskIndex& mask, int64_t block_tokens) {
  std::vector<Range> data;
  for (int32_t d = 0; d < mask.documents(); ++d) {
    const Range document = mask.document(d);
    for (int64_t t = document.begin; t < document.end; t += block_tokens) {
      data.push_back({t, std::min(t + block_tokens, document.end)});
    }
  }
  return data;
}

// Calls visit(first, last) for runs [first, last) of data blocks with keys that the queries see.
template <typename Visit>
void for_each_run_seen(const MaskIndex& mask, const std::vector<Range>& data, const Range& queries,
                       Visit visit) {
  const auto block_of = [&](int64_t token) {
    return std::ranges::upper_bound(data, token, {}, &Range::begin) - data.begin() - 1;
  };
  for (const Range& keys : mask.keys_seen({&queries, 1})) {
    visit(static_cast<int32_t>(block_of(keys.begin)),
          static_cast<int32_t>(block_of(keys.end - 1) + 1));
  }
}

int64_t count_compute_blocks(const MaskIndex& mask, int64_t block_tokens, int64_t limit) {
  int64_t count = 0;
  const std::vector<Range> data = cut(mask, block_tokens);
  for (size_t q = 0; q < data.size() && count <= limit; ++q) {
    for_each_run_seen(mask, data, data[q],
                      [&](int32_t first, int32_t last) { count += last - first; });
  }
  return count;
}

}  // namespace

Blocks make_blocks(const MaskIndex& mask, int64_t block_tokens, int32_t head_groups) {
  Blocks blocks{cut(mask, block_tokens), {}, head_groups};
  for (int32_t q = 0; q < static_cast<int32_t>(blocks.data.size()); ++q) {
    const Range queries = blocks.data[q];
    for_each_run_seen(mask, blocks.data, queries, [&](int32_t first, int32_t last) {
      for (int32_t kv = first; kv < last; ++kv) {
        const int64_t pairs = mask.pairs({&queries, 1}, {&blocks.data[kv], 1});
        if (pairs == 0) continue;
        for (int32_t group = 0; group < head_groups; ++group) {
          blocks.compute.push_back({q, kv, group, pairs});
        }
      }
    });
  }
  return blocks;
}

int64_t default_block_tokens(const MaskIndex& mask, int32_t ranks, int32_t head_groups) {
  const int64_t share = kBlocksPerRank * ranks;
  int64_t tokens =
      std::clamp<int64_t>((mask.tokens() + share - 1) / share, 1, kPublishedBlockTokens);
  const int64_t most = kMostComputeBlocks / head_groups;
  while (count_compute_blocks(mask, tokens, most) > most && tokens < mask.tokens()) {
    tokens *= 2;
  }
  return tokens;
}

}  // namespace cpbench::dcp
