#include "harness/compile/segments.h"

#include <gtest/gtest.h>

#include <set>

namespace cpbench {
namespace {

struct Setting {
  Setting(std::vector<int64_t> lengths, Mask kind, int64_t window = 0,
          std::vector<int64_t> cached = {})
      : mask(Batch{std::move(lengths), kind, window, std::move(cached)}) {}
  explicit Setting(const Batch& batch) : mask(batch) {}
  std::vector<std::vector<Segment>> segments(const Ranges& q, const Ranges& kv,
                                             const Ranges& q_held, const Ranges& kv_held) {
    std::vector<CallSegments> levels;
    const SetId q_set = sets.intern(q_held), kv_set = sets.intern(kv_held);
    append_segments(mask, sets, q, q_set, kv, kv_set, 0, levels);
    std::vector<std::vector<Segment>> segments;
    for (CallSegments& level : levels) {
      // The touched tokens are those of the rows, one by one.
      Ranges queries, keys;
      for (const Segment& s : level) {
        for (int32_t i = 0; i < s.q_rows; ++i) add(queries, sets.rows(q_set).token_at(s.q_row + i));
        for (int32_t i = 0; i < s.kv_rows; ++i) add(keys, sets.rows(kv_set).token_at(s.kv_row + i));
      }
      EXPECT_EQ(queries_of(level, sets, q_set), sets.intern(normalise(queries)));
      EXPECT_EQ(keys_of(level, sets, kv_set), sets.intern(normalise(keys)));
      segments.push_back(std::move(level));
    }
    return segments;
  }
  static void add(Ranges& tokens, int64_t token) { tokens.push_back({token, token + 1}); }

  MaskIndex mask;
  RangeSets of_plan;
  const std::vector<SetId> homes;
  PlanSets shared{of_plan, homes};
  RankSets sets{shared};
};

TEST(Segments, own_two_chunks_of_a_document_are_one_causal_segment) {
  Setting s({32}, Mask::document_causal);
  const Ranges mine = {{4, 8}, {24, 28}};
  const auto levels = s.segments(mine, mine, mine, mine);
  ASSERT_EQ(levels.size(), 1u);
  ASSERT_EQ(levels[0].size(), 1u);
  EXPECT_EQ(levels[0][0].mask, SegmentMask::causal);
  EXPECT_EQ(levels[0][0].q_rows, 8);
  EXPECT_EQ(levels[0][0].kv_rows, 8);
}

TEST(Segments, earlier_keys_are_one_full_segment) {
  Setting s({32}, Mask::document_causal);
  const auto levels = s.segments({{16, 20}, {28, 32}}, {{0, 4}}, {{16, 20}, {28, 32}}, {{0, 4}});
  ASSERT_EQ(levels.size(), 1u);
  ASSERT_EQ(levels[0].size(), 1u);
  EXPECT_EQ(levels[0][0].mask, SegmentMask::full);
  EXPECT_EQ(levels[0][0].q_rows, 8);
}

TEST(Segments, prefix_and_own_keys_are_one_bottom_right_causal_segment) {
  Setting s({8, 32}, Mask::document_causal);
  const auto levels = s.segments({{24, 32}}, {{0, 40}}, {{24, 32}}, {{0, 40}});
  ASSERT_EQ(levels[0].size(), 1u);
  EXPECT_EQ(levels[0][0].mask, SegmentMask::causal);
  EXPECT_EQ(levels[0][0].kv_row, 8);
  EXPECT_EQ(levels[0][0].kv_rows, 24);
}

// A prompt and two completions: the second has no rows next to the prompt's.
TEST(Segments, completions_see_the_prompt_in_one_full_segment_and_themselves_in_another) {
  Setting s(Batch{.document_lengths = {8, 4, 4}, .parents = {-1, 0, 0}});
  const auto levels = s.segments({{8, 16}}, {{0, 16}}, {{8, 16}}, {{0, 16}});
  ASSERT_EQ(levels.size(), 2u);
  ASSERT_EQ(levels[0].size(), 2u);  // the first completion follows the prompt
  EXPECT_EQ(levels[0][0].mask, SegmentMask::causal);
  EXPECT_EQ(levels[0][0].kv_rows, 12);
  EXPECT_EQ(levels[0][1].mask, SegmentMask::full);
  EXPECT_EQ(levels[0][1].kv_rows, 8);
  ASSERT_EQ(levels[1].size(), 1u);
  EXPECT_EQ(levels[1][0].q_row, 4);
  EXPECT_EQ(levels[1][0].kv_row, 12);
  EXPECT_EQ(levels[1][0].mask, SegmentMask::causal);
}

// Every `step`-th token from `first` on.
Ranges striped(int64_t first, int64_t step, int64_t tokens) {
  Ranges tokens_of;
  for (int64_t t = first; t < tokens; t += step) tokens_of.push_back({t, t + 1});
  return tokens_of;
}

// Whatever the ranks: the keys of a later rank are shifted by one row.
TEST(Segments, a_striped_shard_is_one_causal_segment_per_document) {
  Setting s({24, 16}, Mask::document_causal);
  for (int64_t mine = 0; mine < 4; ++mine) {
    for (int64_t theirs = 0; theirs < 4; ++theirs) {
      const Ranges q = striped(mine, 4, 40), kv = striped(theirs, 4, 40);
      const auto levels = s.segments(q, kv, q, kv);
      ASSERT_EQ(levels.size(), 1u);
      ASSERT_EQ(levels[0].size(), 2u) << mine << " " << theirs;
      const int32_t unseen = theirs > mine ? 1 : 0;  // the first query of a document sees no key
      for (int32_t document : {0, 1}) {
        const Segment& segment = levels[0][document];
        EXPECT_EQ(segment.mask, SegmentMask::causal);
        EXPECT_EQ(segment.q_rows, (document == 0 ? 6 : 4) - unseen);
        EXPECT_EQ(segment.kv_rows, segment.q_rows);
      }
    }
  }
}

Range seen(const Segment& s, int64_t i) {
  if (s.mask == SegmentMask::full) return {0, s.kv_rows};
  const int64_t first = s.mask == SegmentMask::causal ? 0 : i + s.first;
  const int64_t last = s.mask == SegmentMask::causal ? i + s.kv_rows - s.q_rows : i + s.last;
  return {std::max<int64_t>(0, first), std::min<int64_t>(s.kv_rows, last + 1)};
}

// Oracle: all pairs, one by one, over random sets of queries and keys and random buffers.
TEST(Segments, pairs_are_those_of_the_mask) {
  uint64_t state = 1;
  const auto random = [&](int64_t n) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return static_cast<int64_t>((state >> 33) % n);
  };
  const int64_t tokens = 40;
  const auto subset = [&](const Ranges& of) {
    Ranges out;
    if (random(3) == 0) {
      const int64_t step = 2 + random(3);
      return intersect(striped(random(step), step, tokens), of);
    }
    for (int64_t i = random(4) + 1; i > 0; --i) {
      const int64_t begin = random(tokens);
      out.push_back({begin, begin + 1 + random(12)});
    }
    return intersect(normalise(std::move(out)), of);
  };
  for (int round = 0; round < 4000; ++round) {
    Batch batch{.document_lengths = {1, 17, 2, 20}};
    batch.mask = static_cast<Mask>(random(7));
    batch.window = has_window(batch.mask) ? 1 + random(9) : 0;
    if (random(3) == 0) batch.cached_tokens = {random(2), random(18), random(3), random(20)};
    if (random(3) == 0 && batch.mask != Mask::causal) {
      for (int64_t d = 0; d < 4; ++d) {
        batch.parents.push_back(static_cast<int32_t>(random(d + 1)) - 1);
      }
    }
    Setting s(batch);
    const Ranges all = {{0, tokens}};
    const Ranges q_held = subset(all), kv_held = subset(all);
    const Ranges q = subset(q_held), kv = random(2) == 0 ? kv_held : subset(kv_held);
    if (q.empty()) continue;
    std::set<std::pair<int64_t, int64_t>> expected, found;
    for (const Range& range : q) {
      for (int64_t t = range.begin; t < range.end; ++t) {
        for_each_member(s.mask.visible_keys(t), [&](int64_t k) {
          if (contains(kv, {k, k + 1})) expected.insert({t, k});
        });
      }
    }
    const auto token_at = [&](const Ranges& held, int64_t row) {
      return s.sets.rows(s.sets.intern(held)).token_at(static_cast<int32_t>(row));
    };
    for (const auto& level : s.segments(q, kv, q_held, kv_held)) {
      std::set<int64_t> rows;
      for (const Segment& segment : level) {
        int64_t pairs = 0;
        for (int64_t i = 0; i < segment.q_rows; ++i) {
          EXPECT_TRUE(rows.insert(segment.q_row + i).second) << "R5: a query row twice";
          const Range keys = seen(segment, i);
          EXPECT_GT(keys.size(), 0) << "R5: a row without keys";
          pairs += keys.size();
          for (int64_t j = keys.begin; j < keys.end; ++j) {
            const bool fresh = found
                                   .insert({token_at(q_held, segment.q_row + i),
                                            token_at(kv_held, segment.kv_row + j)})
                                   .second;
            EXPECT_TRUE(fresh) << "a pair twice";
          }
        }
        EXPECT_EQ(pairs_of(segment), pairs);
      }
    }
    ASSERT_EQ(found, expected) << "round " << round;
  }
}

}  // namespace
}  // namespace cpbench
