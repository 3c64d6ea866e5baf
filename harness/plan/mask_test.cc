#include "harness/plan/mask.h"

#include <gtest/gtest.h>

#include <random>

namespace cpbench {
namespace {

// Whether the token has K and V alone, by the definition.
bool cached(const Batch& batch, int64_t token) {
  size_t d = 0;
  while (token >= batch.document_lengths[d]) token -= batch.document_lengths[d++];
  return !batch.cached_tokens.empty() && token < batch.cached_tokens[d];
}

// The definition of each mask, token by token.
bool sees(const Batch& batch, int64_t q, int64_t k) {
  if (cached(batch, q)) return false;
  auto document = [&batch](int64_t token) {
    size_t d = 0;
    while (token >= batch.document_lengths[d]) token -= batch.document_lengths[d++];
    return d;
  };
  bool same = document(q) == document(k);
  switch (batch.mask) {
    case Mask::document_causal:
      return same && k <= q;
    case Mask::causal:
      return k <= q;
    case Mask::document_full:
      return same;
    case Mask::sliding_window:
      return same && k <= q && q - k < batch.window;
  }
  return false;
}

TEST(MaskIndex, AgreesWithTheDefinition) {
  std::mt19937_64 random(4);
  for (int i = 0; i < 400; ++i) {
    Batch batch;
    for (uint64_t n = 1 + random() % 5; n > 0; --n)
      batch.document_lengths.push_back(1 + static_cast<int64_t>(random() % 9));
    batch.mask = static_cast<Mask>(random() % 4);
    if (batch.mask == Mask::sliding_window) batch.window = 1 + static_cast<int64_t>(random() % 6);
    if (random() % 2 == 0) {
      for (int64_t length : batch.document_lengths)
        batch.cached_tokens.push_back(static_cast<int64_t>(random() % (length + 1)));
    }
    MaskIndex mask(batch);
    int64_t tokens = batch.tokens();
    auto some = [&] {
      Ranges r;
      for (int n = 0; n < 3; ++n) {
        int64_t begin = static_cast<int64_t>(random() % tokens);
        r.push_back({begin, std::min(tokens, begin + static_cast<int64_t>(random() % 7))});
      }
      return normalise(r);
    };
    Ranges queries = some(), keys = some();
    int64_t all = 0, of_queries = 0, of_both = 0;
    for (int64_t q = 0; q < tokens; ++q) {
      Range visible = mask.visible_keys(q);
      for (int64_t k = 0; k < tokens; ++k) {
        EXPECT_EQ(visible.begin <= k && k < visible.end, sees(batch, q, k));
        if (!sees(batch, q, k)) continue;
        ++all;
        bool in_queries = contains(queries, Range{q, q + 1});
        of_queries += in_queries;
        of_both += in_queries && contains(keys, Range{k, k + 1});
      }
      EXPECT_EQ(contains(mask.new_tokens(), Range{q, q + 1}), !cached(batch, q));
    }
    Ranges visited;
    mask.for_each_block(queries, [&](Range piece, Range block) {
      for (int64_t q = piece.begin; q < piece.end; ++q) EXPECT_EQ(block, mask.block_of(q));
      visited.push_back(piece);
    });
    EXPECT_EQ(normalise(visited), intersect(queries, mask.new_tokens()));
    EXPECT_EQ(mask.pairs(), all);
    EXPECT_EQ(mask.pairs(queries), of_queries);
    EXPECT_EQ(mask.pairs(queries, keys), of_both);
  }
}

TEST(MaskIndex, BlocksAreDocumentsOrThePack) {
  Batch batch{{3, 1, 4}, Mask::document_causal, 0};
  MaskIndex mask(batch);
  std::vector<Range> pieces;
  Ranges queries = {{1, 2}, {2, 8}};
  mask.for_each_block(queries, [&](Range piece, Range) { pieces.push_back(piece); });
  EXPECT_EQ(pieces, (std::vector<Range>{{1, 2}, {2, 3}, {3, 4}, {4, 8}}));
  batch.cached_tokens = {2, 1, 3};
  pieces.clear();
  Ranges all = {{0, 8}};
  MaskIndex(batch).for_each_block(all, [&](Range piece, Range) { pieces.push_back(piece); });
  EXPECT_EQ(pieces, (std::vector<Range>{{2, 3}, {7, 8}}));
  batch.mask = Mask::causal;
  EXPECT_EQ(MaskIndex(batch).block_of(7), (Range{0, 8}));
}

}  // namespace
}  // namespace cpbench
