// Sequences of nearly one length are one kind to the integer program, so that it counts kinds and
// not sequences.
#pragma once

#include <cstdint>
#include <vector>

#include "baselines/flexsp/heuristic.h"

namespace cpbench::flexsp {

struct Bucket {
  std::vector<int32_t> sequences;  // longest first
  int64_t longest_tokens = 0;      // as which each of them counts against capacity
  GroupCost::Load total;           // of all of them
};

// At most `count` buckets of neighbours in `items` (longest first), such that rounding every
// sequence up to the longest of its bucket adds as few tokens as possible: by dynamic programming,
// in O(count n log n).
std::vector<Bucket> buckets_of(const Loads& loads, const Items& items, int32_t count);

// Every sequence as the program sees it: the tokens of the longest of its bucket, the mean work.
Loads rounded(const Loads& loads, const std::vector<Bucket>& buckets);

}  // namespace cpbench::flexsp
