#include "baselines/distca/items.h"

#include <algorithm>

namespace cpbench::distca {
namespace {

// Calls place(rank, block, tokens left of the block, tokens for this rank) in pack order.
template <typename Place>
void fill(const MaskIndex& mask, int32_t ranks, Place place) {
  const int64_t tokens = mask.tokens();
  int32_t rank = 0;
  auto budget_of = [&](int32_t r) { return tokens / ranks + (r < tokens % ranks); };
  int64_t budget = budget_of(0);
  for (const Range& block : mask.blocks()) {
    int64_t left = block.size();
    while (left > 0) {
      while (budget == 0) budget = budget_of(++rank);
      const int64_t part = std::min(left, budget);
      place(rank, block, left, part);
      left -= part;
      budget -= part;
    }
  }
}

}  // namespace

Ranges Item::query_ranges() const { return normalise({head, tail}); }

int64_t work_of(const Item& item, const MaskIndex& mask) { return mask.work(item.query_ranges()); }

std::vector<Item> head_tail_items(const MaskIndex& mask, int32_t ranks) {
  std::vector<Item> items;
  Range rest;
  fill(mask, ranks, [&](int32_t rank, Range block, int64_t left, int64_t part) {
    if (left == block.size()) rest = block;
    const int64_t head = part / 2;
    const int64_t tail = part - head;
    items.push_back(
        {rank, rank, block, {rest.begin, rest.begin + head}, {rest.end - tail, rest.end}});
    rest = {rest.begin + head, rest.end - tail};
  });
  return items;
}

std::vector<Item> contiguous_items(const MaskIndex& mask, int32_t ranks) {
  std::vector<Item> items;
  fill(mask, ranks, [&](int32_t rank, Range block, int64_t left, int64_t part) {
    const int64_t begin = block.end - left;
    const int64_t middle = begin + part / 2;
    items.push_back({rank, rank, block, {begin, middle}, {middle, begin + part}});
  });
  return items;
}

Item split_inner(Item& item, int64_t count) {
  Item inner = item;
  const int64_t from_head = std::min(count, item.head.size());
  const int64_t from_tail = std::min(count, item.tail.size());
  inner.head.begin = item.head.end -= from_head;
  inner.tail.end = item.tail.begin += from_tail;
  return inner;
}

}  // namespace cpbench::distca
