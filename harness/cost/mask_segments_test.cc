#include "harness/cost/mask_segments.h"

#include <gtest/gtest.h>

namespace cpbench {
namespace {

std::vector<AttentionSegment> segments_of(const Batch& batch, RangeSpan queries) {
  std::vector<AttentionSegment> out;
  mask_segments(MaskIndex(batch), queries, out);
  return out;
}

bool same(const AttentionSegment& a, const AttentionSegment& b) {
  return a.q_tokens == b.q_tokens && a.kv_tokens == b.kv_tokens && a.causal == b.causal &&
         a.count == b.count;
}

TEST(MaskSegments, FollowTheMask) {
  Batch batch{{100, 200}};
  Ranges queries = {{50, 150}, {250, 300}};
  std::vector<AttentionSegment> causal = segments_of(batch, queries);
  ASSERT_EQ(causal.size(), 3);
  EXPECT_TRUE(same(causal[0], {50, 100, true}));
  EXPECT_TRUE(same(causal[1], {50, 50, true}));
  EXPECT_TRUE(same(causal[2], {50, 200, true}));
  batch.mask = Mask::causal;
  EXPECT_TRUE(same(segments_of(batch, queries).front(), {100, 150, true}));
  batch.mask = Mask::document_full;
  EXPECT_TRUE(same(segments_of(batch, queries).back(), {50, 200, false}));
  EXPECT_TRUE(segments_of(batch, {}).empty());
}

TEST(MaskSegments, WindowsAreBands) {
  Batch batch{{1000}, Mask::sliding_window, 64};
  std::vector<AttentionSegment> found = segments_of(batch, Ranges{{32, 432}});
  ASSERT_EQ(found.size(), 1);
  EXPECT_EQ(found[0].kv_tokens, 432);
  EXPECT_TRUE(found[0].band);
  EXPECT_EQ(found[0].first, 32 - 63);
  EXPECT_EQ(found[0].last, 32);
  EXPECT_TRUE(
      same(segments_of(batch, Ranges{{0, 64}}).front(), {64, 64, true}));  // nothing left behind
  found = segments_of(batch, Ranges{{500, 600}});
  EXPECT_EQ(found[0].kv_tokens, 163);
  EXPECT_EQ(found[0].first, 0);
  EXPECT_EQ(found[0].last, 63);
}

TEST(MaskSegments, AncestorsAreFullAndOtherRulesAreRectangles) {
  const Batch tree{.document_lengths = {100, 20, 30}, .parents = {-1, 0, 0}};
  std::vector<AttentionSegment> found = segments_of(tree, Ranges{{120, 150}});
  ASSERT_EQ(found.size(), 2);
  EXPECT_TRUE(same(found[0], {30, 100, false}));
  EXPECT_TRUE(same(found[1], {30, 30, true}));
  found = segments_of({{100}, Mask::block_causal, 64}, Ranges{{0, 100}});
  ASSERT_EQ(found.size(), 2);
  EXPECT_TRUE(same(found[0], {64, 64, false}));
  EXPECT_TRUE(same(found[1], {36, 100, false}));
}

}  // namespace
}  // namespace cpbench
