// What is counted, against the list of segments, on random cuts.
#include "harness/compile/document_cut.h"

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <random>
#include <tuple>
#include <vector>

#include "harness/compile/segments.h"

namespace cpbench {
namespace {

// Documents by queries, by keys, and by whether the block is causal.
using Blocks = std::map<std::tuple<int64_t, int64_t, bool>, int64_t>;

// Documents that are cut into the same chunks, some of them empty. Each chunk belongs to one
// member.
struct RandomCut {
  explicit RandomCut(uint64_t seed, Mask mask) : random(seed) {
    batch.mask = mask;
    const int32_t count = 2 + below(5), documents = 100;
    std::vector<int32_t> member_of_chunk;
    for (int32_t m = 0; m < count; ++m) {
      for (int32_t c = 1 + below(3); c > 0; --c) member_of_chunk.push_back(m);
    }
    std::ranges::shuffle(member_of_chunk, random);
    std::vector<Ranges> tokens(count);
    int64_t token = 0;
    const int32_t longest = below(documents);
    for (int32_t d = 0; d < documents; ++d) {
      const int64_t begin = token;
      for (int32_t m : member_of_chunk) {
        const int64_t size = d == longest ? 50 : below(10) == 0 ? below(40) : below(3);
        extend(tokens[m], {token, token + size});
        token += size;
      }
      if (token > begin) batch.document_lengths.push_back(token - begin);
    }
    for (const Ranges& own : tokens) {
      members.push_back(sets.intern(own));
      Ranges part;
      for (const Range& range : own) {
        const int64_t begin = range.begin + below(2);
        if (below(3) > 0) extend(part, {begin, std::max(begin, range.end - below(2))});
      }
      parts.push_back(sets.intern(std::move(part)));
    }
  }

  int32_t below(int32_t end) { return static_cast<int32_t>(random() % end); }

  std::mt19937_64 random;
  Batch batch;
  RangeSets sets;
  std::vector<SetId> members;
  std::vector<SetId> parts;  // one of each member
};

struct Counted {
  Blocks blocks;
  int64_t queries = 0, keys = 0;  // of all blocks
};

Counted counted(const DocumentCut& cut, int32_t queries, int32_t keys) {
  Counted counted;
  cut.for_each_block(queries, keys, 0, [&](int32_t q, int32_t k, int64_t documents) {
    counted.blocks[{q, k, cut.causal(queries, keys) && q > 1}] += documents;
    counted.queries += q * documents;
    counted.keys += k * documents;
  });
  return counted;
}

// What is summed up is what a visit of all blocks leaves out.
void expect_sums(const DocumentCut& cut, int32_t queries, int32_t keys) {
  for (const int32_t few : {1, 3, 60}) {
    Blocks blocks, visited;
    DocumentCut::Total sum;
    cut.for_each_block(queries, keys, 0, [&](int32_t q, int32_t k, int64_t documents) {
      if (q > few || k > few) {
        blocks[{q, k, false}] += documents;
      } else {
        sum = {sum.queries + q * documents, sum.keys + k * documents, sum.documents + documents};
      }
    });
    const auto visit = [&](int32_t q, int32_t k, int64_t documents) {
      visited[{q, k, false}] += documents;
    };
    EXPECT_EQ(cut.for_each_block(queries, keys, few, visit), sum) << few;
    EXPECT_EQ(visited, blocks) << few;
  }
}

struct Listed {
  Blocks blocks;
  Ranges queries, keys;  // those that see some key, and those that are seen
};

Listed listed(const Batch& batch, const RangeSets& of_plan, SetId queries, SetId keys) {
  const MaskIndex mask(batch);
  const std::vector<SetId> no_homes;
  const PlanSets shared(of_plan, no_homes);
  RankSets sets(shared);
  std::vector<CallSegments> levels;
  append_segments(mask, sets, sets[queries], queries, sets[keys], keys, 0, levels);
  Listed listed;
  listed.keys = intersect(mask.keys_seen(sets[queries]), sets[keys]);
  EXPECT_LE(levels.size(), 1u);
  for (const CallSegments& level : levels) {
    listed.queries = rows_of(level, false, sets, queries);
    for (const Segment& s : level) {
      ++listed.blocks[{s.q_rows, s.kv_rows, s.mask == SegmentMask::causal && s.q_rows > 1}];
    }
  }
  return listed;
}

TEST(DocumentCut, counts_the_segments_that_a_list_has) {
  int described = 0;
  for (uint64_t seed = 0; seed < 60; ++seed) {
    RandomCut random(seed, seed % 2 == 0 ? Mask::document_causal : Mask::document_full);
    const MaskIndex mask(random.batch);
    const auto cut = DocumentCut::of(mask, random.sets, random.members, random.parts);
    ASSERT_TRUE(cut) << seed;
    const auto members = static_cast<int32_t>(random.members.size());
    for (int32_t q = 0; q < members; ++q) {
      EXPECT_EQ(cut->member(random.members[q]), q);
      for (int32_t k = 0; k < members; ++k) {
        if (q == k) {
          ASSERT_TRUE(cut->describes(q, k));
        }
        if (!cut->describes(q, k)) continue;
        ++described;
        const Counted count = counted(*cut, q, k);
        const Listed list = listed(random.batch, random.sets, random.members[q], random.members[k]);
        EXPECT_EQ(count.blocks, list.blocks) << seed << ": " << q << " sees " << k;
        EXPECT_EQ(count.queries, size_of(list.queries));
        EXPECT_EQ(count.keys, size_of(list.keys));
        expect_sums(*cut, q, k);
        if (q == k) continue;
        const SetId part_q = random.parts[q], part_k = random.parts[k];
        if (cut->index(part_q) >= 0) {
          EXPECT_EQ(counted(*cut, cut->index(part_q), k).queries,
                    size_of_intersection(list.queries, random.sets[part_q]));
        }
        if (cut->index(part_k) >= 0) {
          EXPECT_EQ(counted(*cut, q, cut->index(part_k)).keys,
                    size_of_intersection(list.keys, random.sets[part_k]));
        }
      }
    }
  }
  EXPECT_GT(described, 300);
}

TEST(DocumentCut, counts_the_segments_of_stripes) {
  std::mt19937_64 random(7);
  const auto below = [&](int64_t end) { return static_cast<int64_t>(random() % end); };
  for (int round = 0; round < 60; ++round) {
    const auto ranks = static_cast<int32_t>(2 + below(8));
    Batch batch{
        .mask = std::array{Mask::document_causal, Mask::document_full, Mask::causal}[round % 3]};
    for (int64_t d = ranks + below(150); d > 0; --d) {
      batch.document_lengths.push_back(1 + below(d % 5 == 0 ? 60 : 2 * ranks));
    }
    const MaskIndex mask(batch);
    RangeSets sets;
    std::vector<SetId> members;
    for (int32_t r = 0; r < ranks; ++r) {
      Ranges own;
      for (int64_t token = r; token < mask.tokens(); token += ranks)
        extend(own, {token, token + 1});
      members.push_back(sets.intern(std::move(own)));
    }
    std::ranges::shuffle(members, random);
    const auto cut = DocumentCut::of(mask, sets, members);
    ASSERT_TRUE(cut);
    for (int32_t q = 0; q < ranks; ++q) {
      for (int32_t k = 0; k < ranks; ++k) {
        ASSERT_TRUE(cut->describes(q, k));
        const Counted count = counted(*cut, q, k);
        const Listed list = listed(batch, sets, members[q], members[k]);
        EXPECT_EQ(count.blocks, list.blocks) << round << ": " << q << " sees " << k;
        EXPECT_EQ(count.queries, size_of(list.queries));
        EXPECT_EQ(count.keys, size_of(list.keys));
        expect_sums(*cut, q, k);
      }
    }
  }
}

TEST(DocumentCut, is_nothing_if_stripes_leave_tokens_out) {
  const MaskIndex mask({.document_lengths = {5, 3}});
  const auto is_cut = [&](const Ranges& a, const Ranges& b) {
    RangeSets sets;
    return DocumentCut::of(mask, sets, {sets.intern(a), sets.intern(b)}).has_value();
  };
  const Ranges odd = {{1, 2}, {3, 4}, {5, 6}, {7, 8}};
  EXPECT_TRUE(is_cut({{0, 1}, {2, 3}, {4, 5}, {6, 7}}, odd));
  EXPECT_FALSE(is_cut({{0, 1}, {2, 3}, {4, 5}}, odd));
  EXPECT_FALSE(is_cut({{0, 1}, {4, 5}, {6, 7}}, odd));
  EXPECT_FALSE(is_cut({{2, 3}, {4, 5}, {6, 7}}, odd));
}

TEST(DocumentCut, is_nothing_if_a_document_has_another_order) {
  RangeSets sets;
  const SetId a = sets.intern({{0, 4}, {8, 10}}), b = sets.intern({{4, 8}, {10, 14}});
  const SetId c = sets.intern({{4, 8}, {12, 14}}), d = sets.intern({{0, 4}, {8, 12}});
  const MaskIndex mask({.document_lengths = {8, 6}});
  EXPECT_TRUE(DocumentCut::of(mask, sets, {a, b}, {}, 1));
  EXPECT_TRUE(DocumentCut::of(mask, sets, {c, d}, {}, 1));
  const SetId e = sets.intern({{0, 4}, {10, 14}}), f = sets.intern({{4, 10}});
  EXPECT_FALSE(
      DocumentCut::of(mask, sets, {e, f}, {}, 1));  // f is the last of document 0, then first
  EXPECT_FALSE(DocumentCut::of(mask, sets, {a, d}, {}, 1));  // they overlap
}

TEST(DocumentCut, is_nothing_if_many_documents_are_cut_by_themselves) {
  const auto is_cut = [](int64_t documents) {
    RangeSets sets;
    std::vector<SetId> members;  // two halves of each document
    for (int64_t d = 0; d < documents; ++d) {
      members.push_back(sets.intern(Range{4 * d, 4 * d + 2}));
      members.push_back(sets.intern(Range{4 * d + 2, 4 * d + 4}));
    }
    const MaskIndex mask({.document_lengths = std::vector<int64_t>(documents, 4)});
    return DocumentCut::of(mask, sets, members, {}, 1).has_value();
  };
  EXPECT_TRUE(is_cut(4));
  EXPECT_FALSE(is_cut(20));
}

TEST(DocumentCut, is_nothing_where_blocks_are_not_of_whole_chunks) {
  RangeSets sets;
  const SetId a = sets.intern({{0, 4}}), b = sets.intern({{4, 8}});
  EXPECT_FALSE(DocumentCut::of(
      MaskIndex({.document_lengths = {8}, .mask = Mask::sliding_window, .window = 3}), sets, {a, b},
      {}, 1));
  EXPECT_FALSE(DocumentCut::of(MaskIndex({.document_lengths = {8}, .mask = Mask::causal}), sets,
                               {a, b}, {}, 1));
  EXPECT_FALSE(DocumentCut::of(MaskIndex({.document_lengths = {8}, .cached_tokens = {2}}), sets,
                               {a, b}, {}, 1));
  EXPECT_FALSE(DocumentCut::of(MaskIndex({.document_lengths = {8}}), sets, {a, b}));  // too few
}

}  // namespace
}  // namespace cpbench
