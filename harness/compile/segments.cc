// All token arithmetic here is on half-open ranges of one part of the mask.
#include "harness/compile/segments.h"

#include <algorithm>

namespace cpbench {
namespace {

// The pieces of the queries come in ascending order, and so do the first of their own keys.
class Builder {
 public:
  Builder(RankSets& sets, SetId q_set, RangeSpan kv, SetId kv_set, size_t first_level,
          std::vector<CallSegments>& levels)
      : q_rows_(sets.rows(q_set)),
        kv_(kv),
        kv_rows_(sets.rows(kv_set)),
        whole_(std::ranges::equal(kv, sets[kv_set])),
        first_level_(first_level),
        part_level_(first_level),
        levels_(levels) {}

  // The next parts have other queries than those before.
  void next_queries() { part_level_ = first_level_; }
  // All these queries see all these keys, and they see the keys of the parts that follow too.
  void ancestor(const Range& q, const Range& keys) {
    if (find_keys(keys)) part_level_ += full(q, keys);
  }
  void part(const MaskPart& part) {
    const Range &q = part.queries, &hull = part.keys;
    if (!find_keys(hull)) return;
    if (part.form == PartForm::full) {
      full(q, hull);
      return;
    }
    if (part.form == PartForm::band) return window(part);
    // Ranges of q whose own keys are all in the key set alternate with ranges that have none of
    // their own keys in it.
    int64_t at = q.begin;
    for (size_t i = range_from(kv_, first_, q.begin); i < kv_.size() && kv_[i].begin < q.end; ++i) {
      const Range own{std::max(q.begin, kv_[i].begin), std::min(q.end, kv_[i].end)};
      if (at < own.begin) full({at, own.begin}, {hull.begin, at});
      causal(own, {hull.begin, own.end});
      at = own.end;
    }
    if (at < q.end) full({at, q.end}, {hull.begin, at});
  }

 private:
  // Sets `first_`; false if there is no such key.
  bool find_keys(const Range& keys) {
    if (first_ > 0 && keys.begin < kv_[first_ - 1].end) first_ = 0;
    first_ = range_from(kv_, first_, keys.begin);
    return first_ < kv_.size() && kv_[first_].begin < keys.end;
  }

  struct Run {
    int32_t row;
    int32_t rows;
  };

  // The runs of rows of the keys in `tokens`, ascending. `tokens` begins with a hull.
  const std::vector<Run>& runs(const Range& tokens) {
    runs_.clear();
    RowCursor rows = kv_rows_;
    if (whole_) {
      const int32_t row = rows.row_at(tokens.begin);
      kv_rows_ = rows;
      const int32_t count = rows.row_at(tokens.end) - row;
      if (count > 0) runs_.push_back({row, count});
      return runs_;
    }
    for (size_t i = first_; i < kv_.size() && kv_[i].begin < tokens.end; ++i) {
      const Range keys{std::max(kv_[i].begin, tokens.begin), std::min(kv_[i].end, tokens.end)};
      const int32_t row = rows.row_at(keys.begin);
      if (i == first_) kv_rows_ = rows;
      if (!runs_.empty() && runs_.back().row + runs_.back().rows == row) {
        runs_.back().rows += static_cast<int32_t>(keys.size());
      } else {
        runs_.push_back({row, static_cast<int32_t>(keys.size())});
      }
    }
    return runs_;
  }

  // Returns the number of levels.
  size_t full(const Range& q, const Range& keys) {
    size_t level = part_level_;
    for (const Run& run : runs(keys)) push(level++, q, run, SegmentMask::full, 0, 0);
    return level - part_level_;
  }

  void causal(const Range& q, const Range& keys) {
    size_t level = part_level_;
    const std::vector<Run>& all = runs(keys);
    for (size_t i = 0; i < all.size(); ++i) {
      push(level++, q, all[i], i + 1 < all.size() ? SegmentMask::full : SegmentMask::causal, 0, 0);
    }
  }

  // A band requires keys without gaps, so each range of keys gets its own segment.
  void window(const MaskPart& part) {
    const Range &q = part.queries, &hull = part.keys;
    size_t level = part_level_;
    RowCursor rows = kv_rows_;
    for (size_t i = first_; i < kv_.size() && kv_[i].begin < hull.end; ++i) {
      const Range keys{std::max(kv_[i].begin, hull.begin), std::min(kv_[i].end, hull.end)};
      const Range seeing{std::max(q.begin, keys.begin),
                         std::min(q.end, keys.end - 1 + part.window)};
      if (keys.size() <= 0 || seeing.size() <= 0) continue;
      const int64_t last = seeing.begin - keys.begin;
      const int64_t first = last - part.window + 1;
      const Run run{rows.row_at(keys.begin), static_cast<int32_t>(keys.size())};
      const bool below = first > -(seeing.size() - 1);  // some key is too old for some query
      const bool above = last < keys.size() - 1;        // some key is too new for some query
      if (!below && !above) {
        push(level++, seeing, run, SegmentMask::full, 0, 0);
      } else if (!below && last == keys.size() - seeing.size()) {
        push(level++, seeing, run, SegmentMask::causal, 0, 0);
      } else {
        push(level++, seeing, run, SegmentMask::band, first, last);
      }
    }
  }

  // A single query row sees the same keys in a full and in a causal segment.
  static bool is_causal(const Segment& s) {
    return s.mask == SegmentMask::causal || (s.mask == SegmentMask::full && s.q_rows == 1);
  }

  static bool fuse(Segment& a, const Segment& b) {
    if (a.q_row + a.q_rows != b.q_row || a.kv_row != b.kv_row) return false;
    if (a.mask == SegmentMask::full && b.mask == SegmentMask::full && a.kv_rows == b.kv_rows) {
      a.q_rows += b.q_rows;
      return true;
    }
    if (is_causal(a) && is_causal(b) && a.kv_rows == b.kv_rows - b.q_rows) {
      a.mask = SegmentMask::causal;
      a.q_rows += b.q_rows;
      a.kv_rows = b.kv_rows;
      return true;
    }
    return false;
  }

  void push(size_t level, const Range& q, const Run& run, SegmentMask mask, int64_t first,
            int64_t last) {
    const int32_t row = q_rows_.row_at(q.begin);
    const Segment segment{.q_row = row,
                          .q_rows = static_cast<int32_t>(q.size()),
                          .kv_row = run.row,
                          .kv_rows = run.rows,
                          .out_row = row,
                          .dkv_row = run.row,
                          .mask = mask,
                          .first = static_cast<int32_t>(first),
                          .last = static_cast<int32_t>(last)};
    if (level >= levels_.size()) levels_.resize(level + 1);
    CallSegments& call = levels_[level];
    if (call.empty() || !fuse(call.back(), segment)) call.push_back(segment);
  }

  RowCursor q_rows_;
  RangeSpan kv_;
  size_t first_ = 0;   // the first range of keys that the queries see
  RowCursor kv_rows_;  // near the rows of that range
  bool whole_;         // the buffer holds only the key set, so each token range is one run
  size_t first_level_;
  size_t part_level_;  // above the levels of the ancestors
  std::vector<CallSegments>& levels_;
  std::vector<Run> runs_;
};

}  // namespace

void append_segments(const MaskIndex& mask, RankSets& sets, RangeSpan q, SetId q_set, RangeSpan kv,
                     SetId kv_set, size_t first_level, std::vector<CallSegments>& levels) {
  Builder builder(sets, q_set, kv, kv_set, first_level, levels);
  mask.for_each_document(q, [&](Range piece, int32_t document) {
    builder.next_queries();
    for (const Range& keys : mask.ancestors(document)) builder.ancestor(piece, keys);
    mask.for_each_own_part(piece, document, [&](const MaskPart& part) { builder.part(part); });
  });
}

Ranges rows_of(const CallSegments& call, bool keys, RankSets& sets, SetId set) {
  Ranges tokens;
  RowCursor cursor = sets.rows(set);
  for (const Segment& s : call) {
    cursor.add_tokens(keys ? s.kv_row : s.q_row, keys ? s.kv_rows : s.q_rows, tokens);
  }
  return normalise(std::move(tokens));
}

SetId queries_of(const CallSegments& call, RankSets& sets, SetId q_set) {
  int64_t rows = 0;
  for (const Segment& s : call) rows += s.q_rows;
  if (rows == sets.size_of(q_set)) return q_set;
  return sets.intern_part(rows_of(call, false, sets, q_set), q_set);
}

SetId keys_of(const CallSegments& call, RankSets& sets, SetId kv_set) {
  return sets.intern_part(rows_of(call, true, sets, kv_set), kv_set);
}

}  // namespace cpbench
