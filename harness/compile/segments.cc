// See segments.h. All token arithmetic is on half-open ranges inside one block of the mask.
#include "harness/compile/segments.h"

#include <algorithm>

namespace cpbench {
namespace {

class Builder {
 public:
  Builder(const MaskIndex& mask, RowMaps& maps, SetId q_set, RangeSpan kv, SetId kv_set,
          size_t first_level, std::vector<std::vector<Segment>>& levels)
      : mask_(mask),
        maps_(maps),
        q_set_(q_set),
        kv_(kv),
        kv_set_(kv_set),
        whole_(std::ranges::equal(kv, maps.sets()[kv_set])),
        first_level_(first_level),
        levels_(levels) {}

  void queries(Range q, Range hull) {  // inside one block; what they see
    if (mask_.mask() == Mask::document_full) return full(q, hull);
    if (mask_.mask() == Mask::sliding_window) return window(q, hull);
    // Alternately ranges of q whose own keys are all here, and ranges whose own are all elsewhere.
    int64_t at = q.begin;
    for (size_t i = range_at(kv_, q.begin); i < kv_.size() && kv_[i].begin < q.end; ++i) {
      const Range own{std::max(q.begin, kv_[i].begin), std::min(q.end, kv_[i].end)};
      if (at < own.begin) full({at, own.begin}, {hull.begin, at});
      causal(own, {hull.begin, own.end});
      at = own.end;
    }
    if (at < q.end) full({at, q.end}, {hull.begin, at});
  }

 private:
  // Runs of rows of the keys in `tokens`, ascending.
  const std::vector<Range>& runs(Range tokens) {
    runs_.clear();
    if (whole_) {
      const Range rows{maps_.row_at(kv_set_, tokens.begin), maps_.row_at(kv_set_, tokens.end)};
      if (rows.size() > 0) runs_.push_back(rows);
      return runs_;
    }
    for (size_t i = range_at(kv_, tokens.begin); i < kv_.size() && kv_[i].begin < tokens.end; ++i) {
      const int64_t begin = std::max(kv_[i].begin, tokens.begin);
      const int64_t row = maps_.row_at(kv_set_, begin);
      const int64_t end = row + std::min(kv_[i].end, tokens.end) - begin;
      if (!runs_.empty() && runs_.back().end == row) {
        runs_.back().end = end;
      } else {
        runs_.push_back({row, end});
      }
    }
    return runs_;
  }

  void full(Range q, Range keys) {
    size_t level = first_level_;
    for (const Range& run : runs(keys)) push(level++, q, run, SegmentMask::full, 0, 0);
  }

  void causal(Range q, Range keys) {
    size_t level = first_level_;
    const std::vector<Range>& all = runs(keys);
    for (size_t i = 0; i < all.size(); ++i) {
      push(level++, q, all[i], i + 1 < all.size() ? SegmentMask::full : SegmentMask::causal, 0, 0);
    }
  }

  // Bands need keys without gaps: one segment for each range of keys.
  void window(Range q, Range hull) {
    size_t level = first_level_;
    for (size_t i = range_at(kv_, hull.begin); i < kv_.size() && kv_[i].begin < hull.end; ++i) {
      const Range keys{std::max(kv_[i].begin, hull.begin), std::min(kv_[i].end, hull.end)};
      const Range seeing{std::max(q.begin, keys.begin),
                         std::min(q.end, keys.end - 1 + mask_.window())};
      if (keys.size() <= 0 || seeing.size() <= 0) continue;
      const int64_t last = seeing.begin - keys.begin;
      const int64_t first = last - mask_.window() + 1;
      const int64_t row = maps_.row_at(kv_set_, keys.begin);
      const Range rows{row, row + keys.size()};
      const bool below = first > -(seeing.size() - 1);  // some key is too old for some query
      const bool above = last < keys.size() - 1;        // some key is too new for some query
      if (!below && !above) {
        push(level++, seeing, rows, SegmentMask::full, 0, 0);
      } else if (!below && last == keys.size() - seeing.size()) {
        push(level++, seeing, rows, SegmentMask::causal, 0, 0);
      } else {
        push(level++, seeing, rows, SegmentMask::band, first, last);
      }
    }
  }

  static bool fuse(Segment& a, const Segment& b) {
    if (a.q_row + a.q_rows != b.q_row || a.kv_row != b.kv_row || a.mask != b.mask) return false;
    if (a.mask == SegmentMask::full && a.kv_rows == b.kv_rows) {
      a.q_rows += b.q_rows;
      return true;
    }
    if (a.mask == SegmentMask::causal && a.kv_rows == b.kv_rows - b.q_rows) {
      a.q_rows += b.q_rows;
      a.kv_rows = b.kv_rows;
      return true;
    }
    return false;
  }

  void push(size_t level, Range q, Range rows, SegmentMask mask, int64_t first, int64_t last) {
    const Segment segment{.q_row = maps_.row_at(q_set_, q.begin),
                          .q_rows = q.size(),
                          .kv_row = rows.begin,
                          .kv_rows = rows.size(),
                          .mask = mask,
                          .first = first,
                          .last = last};
    if (level >= levels_.size()) levels_.resize(level + 1);
    std::vector<Segment>& segments = levels_[level];
    if (segments.empty() || !fuse(segments.back(), segment)) segments.push_back(segment);
  }

  const MaskIndex& mask_;
  RowMaps& maps_;
  SetId q_set_;
  RangeSpan kv_;
  SetId kv_set_;
  bool whole_;  // the key set is all that the buffer holds: each token range is one run
  size_t first_level_;
  std::vector<std::vector<Segment>>& levels_;
  std::vector<Range> runs_;
};

}  // namespace

void append_segments(const MaskIndex& mask, RowMaps& maps, RangeSpan q, SetId q_set, RangeSpan kv,
                     SetId kv_set, size_t first_level, std::vector<std::vector<Segment>>& levels) {
  if (kv.empty()) return;
  Builder builder(mask, maps, q_set, kv, kv_set, first_level, levels);
  const Range held{kv.front().begin, kv.back().end};
  mask.for_each_block(q, [&](Range piece, Range block) {
    const Range hull = mask.visible_hull(piece, block);
    if (hull.begin < held.end && held.begin < hull.end) builder.queries(piece, hull);
  });
}

Ranges visible_keys(const MaskIndex& mask, RangeSpan q, RangeSpan kv) {
  if (kv.empty()) return {};
  Ranges hulls;
  mask.for_each_block(
      q, [&](Range piece, Range block) { hulls.push_back(mask.visible_hull(piece, block)); });
  return intersect(normalise(std::move(hulls)), kv);
}

}  // namespace cpbench
