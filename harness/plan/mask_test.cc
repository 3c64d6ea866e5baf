#include "harness/plan/mask.h"

#include <gtest/gtest.h>

#include <random>

namespace cpbench {
namespace {

// The definition of each mask, token by token.
bool sees(const Batch& batch, int64_t q, int64_t k) {
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
    }
    EXPECT_EQ(mask.cells(), all);
    EXPECT_EQ(mask.cells(queries), of_queries);
    EXPECT_EQ(mask.cells(queries, keys), of_both);
  }
}

TEST(MaskIndex, BlocksAreDocumentsOrThePack) {
  Batch batch{{3, 1, 4}, Mask::document_causal, 0};
  MaskIndex mask(batch);
  std::vector<Range> pieces;
  Ranges queries = {{1, 2}, {2, 8}};
  mask.for_each_block(queries, [&](Range piece, Range) { pieces.push_back(piece); });
  EXPECT_EQ(pieces, (std::vector<Range>{{1, 2}, {2, 3}, {3, 4}, {4, 8}}));
  batch.mask = Mask::causal;
  EXPECT_EQ(MaskIndex(batch).block_of(7), (Range{0, 8}));
}

}  // namespace
}  // namespace cpbench
