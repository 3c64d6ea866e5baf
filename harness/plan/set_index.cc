// An interval tree in a sorted array: the root of pieces [first, last) is the one in the middle.
#include "harness/plan/set_index.h"

#include <algorithm>
#include <utility>

namespace cpbench {

SetIndex::SetIndex(const RangeSets& sets, std::vector<SetId> members)
    : sets_(sets), members_(std::move(members)) {
  std::sort(members_.begin(), members_.end());
  members_.erase(std::unique(members_.begin(), members_.end()), members_.end());
  std::erase(members_, RangeSets::kEmpty);
  for (SetId id : members_) {
    hull_.begin = std::min(hull_.begin, sets_[id].front().begin);
    hull_.end = std::max(hull_.end, sets_[id].back().end);
  }
}

std::optional<std::vector<SetId>> SetIndex::overlapping(RangeSpan tokens, size_t most) {
  if (tokens.size() > most) return std::nullopt;
  if (contains(tokens, hull_)) {
    return members_.size() > most ? std::nullopt : std::optional(members_);
  }
  if (pieces_.empty()) build();
  std::vector<SetId> found;
  for (const Range& range : tokens) find(0, pieces_.size(), range, most, found);
  if (found.size() > most) return std::nullopt;
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

void SetIndex::build() {
  for (SetId id : members_) {
    for (const Range& r : sets_[id]) pieces_.push_back({r.begin, r.end, id});
  }
  std::sort(pieces_.begin(), pieces_.end(),
            [](const Piece& a, const Piece& b) { return a.begin < b.begin; });
  last_end_.resize(pieces_.size());
  set_last_ends(0, pieces_.size());
}

int64_t SetIndex::set_last_ends(size_t first, size_t last) {
  if (first == last) return 0;
  const size_t middle = (first + last) / 2;
  return last_end_[middle] = std::max(
             {pieces_[middle].end, set_last_ends(first, middle), set_last_ends(middle + 1, last)});
}

void SetIndex::find(size_t first, size_t last, Range range, size_t most,
                    std::vector<SetId>& found) const {
  if (first == last || found.size() > most) return;
  const size_t middle = (first + last) / 2;
  if (last_end_[middle] <= range.begin) return;
  find(first, middle, range, most, found);
  const Piece& piece = pieces_[middle];
  if (piece.begin >= range.end) return;
  if (piece.end > range.begin) found.push_back(piece.set);
  find(middle + 1, last, range, most, found);
}

}  // namespace cpbench
