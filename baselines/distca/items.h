// The work that core attention disaggregation moves about: items of queries with the keys they see.
//
// Items are aligned to documents (for the causal mask, to the pack): an item is a part of one
// document's queries that start on one rank. A document that fits its rank is one item with all of
// it; a document cut over ranks lies there as head and tail, so that every rank holds a mirrored
// pair of ranges and, under a causal mask, each pair of mirrored queries has the same work.
//
//   two ranks, one document of 8    item on rank 0: [0, 2) and [6, 8); on rank 1: [2, 4) and [4, 6)
#pragma once

#include <cstdint>
#include <vector>

#include "harness/plan/mask.h"
#include "harness/plan/range_sets.h"

namespace cpbench::distca {

struct Item {
  int32_t home = 0;    // the rank that owns the queries
  int32_t server = 0;  // the rank that attends them
  Range block;         // its document, or the pack
  Range head;          // queries; head.end <= tail.begin, either may be empty
  Range tail;

  int64_t queries() const { return head.size() + tail.size(); }
  // In normal form.
  Ranges query_ranges() const;
};

// (query, key) pairs that the item's queries see.
int64_t work_of(const Item& item, const MaskIndex& mask);

// Documents in pack order fill ranks of T/N tokens one after another (the first T mod N hold one
// more); what does not fit whole is cut, each rank's part half from the front and half from the
// back of what is left (the odd token goes to the tail).
std::vector<Item> head_tail_items(const MaskIndex& mask, int32_t ranks);
// The same fill with contiguous parts; an item's head is its first half.
std::vector<Item> contiguous_items(const MaskIndex& mask, int32_t ranks);

// The innermost `count` queries of head and of tail, taken from the item; the rest stays in it.
Item split_inner(Item& item, int64_t count);

}  // namespace cpbench::distca
