// Finds which of many sets overlap a given one, without looking at those that do not.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "harness/plan/range_sets.h"

namespace cpbench {

class SetIndex {
 public:
  SetIndex(const RangeSets& sets, std::vector<SetId> members);

  // The members that overlap `tokens`, ascending. Nothing if `tokens` has more than `most` ranges,
  // contains more than `most` members, or meets more than `most` ranges of members without
  // containing all: then it is cheaper to look at the members one by one.
  std::optional<std::vector<SetId>> overlapping(RangeSpan tokens, size_t most);

 private:
  struct Piece {
    int64_t begin = 0;
    int64_t end = 0;
    SetId set = RangeSets::kEmpty;
  };
  void build();
  int64_t set_last_ends(size_t first, size_t last);
  void find(size_t first, size_t last, Range range, size_t most, std::vector<SetId>& found) const;

  const RangeSets& sets_;
  std::vector<SetId> members_;     // sorted, distinct, not empty
  Range hull_{INT64_MAX, 0};       // of all members
  std::vector<Piece> pieces_;      // a balanced tree, sorted by begin; built at the first query
  std::vector<int64_t> last_end_;  // of the subtree of each piece
};

}  // namespace cpbench
