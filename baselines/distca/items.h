// The work that core attention disaggregation moves: items of queries, with the keys that they see.
//
//   two ranks, one document of 8    item on rank 0: [0, 2) and [6, 8); on rank 1: [2, 4) and [4, 6)
//
// An item is a part of one document's queries (for the causal mask, of the pack's; where documents
// have parents, of a tree's) that start on one rank. A document that fits on its rank is one item.
// A document that is cut over ranks lies there as head and tail, so that every rank holds a
// mirrored pair of ranges. Under a causal mask, every pair of mirrored queries has the same work.
#pragma once

#include <cstdint>
#include <vector>

#include "harness/plan/mask.h"
#include "harness/plan/range_sets.h"

namespace cpbench::distca {

struct Item {
  int32_t home = 0;    // the rank that owns the queries
  int32_t server = 0;  // the rank that attends them
  Range block;         // its document, its tree of documents, or the pack
  Range head;          // queries; head.end <= tail.begin, and either may be empty
  Range tail;          // queries

  int64_t queries() const { return head.size() + tail.size(); }
  // Head and tail, in normal form.
  Ranges query_ranges() const;
};

// The (query, key) pairs of the item's queries.
int64_t work_of(const Item& item, const MaskIndex& mask);

// Documents in pack order fill ranks of T/N tokens one after another (the first T mod N ranks hold
// one more). A document that does not fit is cut: each rank's part comes half from the front and
// half from the back of what is left (an odd token goes to the tail).
std::vector<Item> head_tail_items(const MaskIndex& mask, int32_t ranks);
// The same with contiguous parts; the head of an item is its first half.
std::vector<Item> contiguous_items(const MaskIndex& mask, int32_t ranks);

// Takes the innermost `count` queries of head and of tail from the item. The rest stays in it.
Item split_inner(Item& item, int64_t count);

}  // namespace cpbench::distca
