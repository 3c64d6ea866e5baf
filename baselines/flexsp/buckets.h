// Buckets of sequences with similar lengths. The integer program counts sequences per bucket
// instead of deciding about single sequences.
//
//   buckets_of(loads, items, 2): lengths 9, 8, 3, 3 give {9, 8} and {3, 3}
#pragma once

#include <cstdint>
#include <vector>

#include "baselines/flexsp/heuristic.h"

namespace cpbench::flexsp {

struct Bucket {
  std::vector<int32_t> sequences;  // longest first
  int64_t longest_tokens = 0;      // each sequence counts as this many tokens against capacity
  GroupCost::Load total;           // the sum of their loads
};

// At most `count` buckets of neighbours in `items` (longest first), such that rounding every
// sequence up to the longest of its bucket adds as few tokens as possible. Computed by dynamic
// programming in O(count n log n).
std::vector<Bucket> buckets_of(const Loads& loads, const Items& items, int32_t count);

// Every sequence as the program sees it: with the tokens of the longest sequence of its bucket, and
// the mean work.
Loads rounded(const Loads& loads, const std::vector<Bucket>& buckets);

}  // namespace cpbench::flexsp
