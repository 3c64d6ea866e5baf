#include "harness/plan/mask.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace cpbench {
namespace {

struct Place {
  int32_t document = 0;
  int64_t position = 0;  // of the token in it
};

Place place_of(const Batch& batch, int64_t token) {
  Place place{0, token};
  while (place.position >= batch.document_lengths[place.document]) {
    place.position -= batch.document_lengths[place.document++];
  }
  return place;
}

// Whether the token has K and V but no query, by the definition.
bool cached(const Batch& batch, int64_t token) {
  const auto [document, position] = place_of(batch, token);
  return !batch.cached_tokens.empty() && position < batch.cached_tokens[document];
}

// The definition of each mask, token by token.
bool sees(const Batch& batch, int64_t query, int64_t key) {
  if (cached(batch, query)) return false;
  if (batch.mask == Mask::causal) return key <= query;
  const auto [d, q] = place_of(batch, query);
  const auto [of_key, k] = place_of(batch, key);
  for (int32_t above = d; !batch.parents.empty() && above >= 0; above = batch.parents[above]) {
    if (above != d && above == of_key) return true;
  }
  if (d != of_key) return false;
  const auto [mask, w] =
      batch.rules.empty() ? DocumentRule{batch.mask, batch.window} : batch.rules[d];
  switch (mask) {
    case Mask::document_full:
      return true;
    case Mask::sliding_window:
      return k <= q && q - k < w;
    case Mask::block_causal:
      return q / w >= k / w;
    case Mask::chunked:
      return k <= q && q / w == k / w;
    case Mask::prefix:
      return k <= q || (q < w && k < w);
    case Mask::document_causal:
    case Mask::causal:
      break;
  }
  return k <= q;
}

bool sees(const MaskPart& part, int64_t query, int64_t key) {
  if (!contains({&part.queries, 1}, {query, query + 1})) return false;
  if (!contains({&part.keys, 1}, {key, key + 1})) return false;
  if (part.form == PartForm::full) return true;
  return key <= query && (part.form == PartForm::causal || query - key < part.window);
}

class Random {
 public:
  explicit Random(uint64_t seed) : random_(seed) {}
  int64_t below(int64_t n) { return static_cast<int64_t>(random_() % static_cast<uint64_t>(n)); }

  DocumentRule rule() {
    const auto mask = static_cast<Mask>(below(7));
    if (mask == Mask::causal) return {};
    return {mask, has_window(mask) ? 1 + below(6) : 0};
  }
  Batch batch() {
    Batch batch;
    for (int64_t n = 1 + below(5); n > 0; --n) batch.document_lengths.push_back(below(9));
    ++batch.document_lengths.back();
    const auto documents = static_cast<int32_t>(batch.document_lengths.size());
    if (below(2) == 0) {
      for (int64_t length : batch.document_lengths)
        batch.cached_tokens.push_back(below(length + 1));
    }
    if (below(8) == 0) {
      batch.mask = Mask::causal;
      return batch;
    }
    if (below(2) == 0) {
      const DocumentRule one = rule();
      batch.mask = one.mask;
      batch.window = one.window;
    } else {
      for (int32_t d = 0; d < documents; ++d) batch.rules.push_back(rule());
    }
    for (int32_t d = 0; d < documents && below(8) > 0; ++d) {
      batch.parents.push_back(static_cast<int32_t>(below(d + 1)) - 1);
    }
    if (static_cast<int32_t>(batch.parents.size()) < documents) batch.parents.clear();
    return batch;
  }
  Ranges tokens(int64_t most) {
    Ranges some;
    for (int n = 0; n < 3; ++n) {
      const int64_t begin = below(most);
      some.push_back({begin, std::min(most, begin + below(7))});
    }
    return normalise(some);
  }

 private:
  std::mt19937_64 random_;
};

TEST(MaskIndex, AgreesWithTheDefinition) {
  Random random(4);
  for (int i = 0; i < 1500; ++i) {
    const Batch batch = random.batch();
    const MaskIndex mask(batch);
    const int64_t tokens = batch.tokens();
    const Ranges queries = random.tokens(tokens), keys = random.tokens(tokens);
    int64_t all = 0, of_queries = 0, of_both = 0;
    Ranges seen;
    for (int64_t q = 0; q < tokens; ++q) {
      const Ranges visible = mask.visible_keys(q);
      const bool in_queries = contains(queries, Range{q, q + 1});
      for (int64_t k = 0; k < tokens; ++k) {
        EXPECT_EQ(contains(visible, Range{k, k + 1}), sees(batch, q, k)) << i;
        if (!sees(batch, q, k)) continue;
        ++all;
        of_queries += in_queries;
        of_both += in_queries && contains(keys, Range{k, k + 1});
        if (in_queries) seen.push_back({k, k + 1});
      }
      EXPECT_EQ(contains(mask.new_tokens(), Range{q, q + 1}), !cached(batch, q));
    }
    EXPECT_EQ(mask.keys_seen(queries), normalise(seen));
    EXPECT_EQ(mask.pairs(), all);
    EXPECT_EQ(mask.pairs(queries), of_queries);
    EXPECT_EQ(mask.pairs(queries, keys), of_both);
  }
}

TEST(MaskIndex, PartsAreTheMask) {
  Random random(5);
  for (int i = 0; i < 500; ++i) {
    const Batch batch = random.batch();
    const MaskIndex mask(batch);
    const Ranges queries = random.tokens(batch.tokens());
    std::vector<MaskPart> parts;
    mask.for_each_part(queries, [&](const MaskPart& part) { parts.push_back(part); });
    for (int64_t q = 0; q < batch.tokens(); ++q) {
      for (int64_t k = 0; k < batch.tokens(); ++k) {
        const auto times =
            std::ranges::count_if(parts, [&](const MaskPart& part) { return sees(part, q, k); });
        EXPECT_EQ(times, contains(queries, Range{q, q + 1}) && sees(batch, q, k)) << i;
      }
    }
  }
}

std::vector<Range> pieces_of(const Batch& batch, const Ranges& queries) {
  std::vector<Range> pieces;
  MaskIndex(batch).for_each_document(queries,
                                     [&](Range piece, int32_t) { pieces.push_back(piece); });
  return pieces;
}

TEST(MaskIndex, QueriesAreVisitedByDocument) {
  Batch batch{{3, 1, 4}, Mask::document_causal, 0};
  EXPECT_EQ(pieces_of(batch, {{1, 2}, {2, 8}}),
            (std::vector<Range>{{1, 2}, {2, 3}, {3, 4}, {4, 8}}));
  batch.cached_tokens = {2, 1, 3};
  EXPECT_EQ(pieces_of(batch, {{0, 8}}), (std::vector<Range>{{2, 3}, {7, 8}}));
  batch.mask = Mask::causal;
  EXPECT_EQ(pieces_of(batch, {{0, 8}}), (std::vector<Range>{{2, 3}, {7, 8}}));
}

TEST(MaskIndex, BlocksAreDocumentsTreesOrThePack) {
  Batch batch{{3, 1, 0, 4}, Mask::document_causal, 0};
  const auto blocks = [&] { return MaskIndex(batch).blocks(); };
  EXPECT_EQ(blocks(), (std::vector<Range>{{0, 3}, {3, 4}, {4, 8}}));
  batch.parents = {-1, 0, -1, -1};
  EXPECT_EQ(blocks(), (std::vector<Range>{{0, 4}, {4, 8}}));
  batch.parents = {-1, -1, -1, 0};  // the one between lies inside
  EXPECT_EQ(blocks(), (std::vector<Range>{{0, 8}}));
  batch.parents.clear();
  batch.mask = Mask::causal;
  EXPECT_EQ(blocks(), (std::vector<Range>{{0, 8}}));
}

// A prompt and what follows it at once are one range of keys; siblings are not.
TEST(MaskIndex, TouchingAncestorsCountAsOwnKeys) {
  const Batch batch{.document_lengths = {4, 2, 3}, .parents = {-1, 0, 0}};
  const MaskIndex mask(batch);
  EXPECT_EQ(mask.ancestors(1).size(), 0u);
  EXPECT_EQ(mask.own_keys({5, 6}, 1), (Range{0, 6}));
  EXPECT_EQ(mask.visible_keys(7), (Ranges{{0, 4}, {6, 8}}));
}

TEST(Mask, work_is_the_sum_of_the_masks_of_all_layers) {
  Random random(11);
  for (int trial = 0; trial < 20; ++trial) {
    Batch batch = random.batch();
    batch.rules.clear();
    batch.mask = Mask::document_causal;
    batch.window = 0;
    const MaskIndex one(batch);
    Batch window = batch;
    window.mask = Mask::sliding_window;
    window.window = 3;
    const MaskIndex other(window);
    batch.layer_masks = {{{}, 2}, {{Mask::sliding_window, 3}, 5}};
    const MaskIndex all(batch);
    const Range queries{1, all.tokens()}, keys{0, all.tokens() / 2};
    const RangeSpan q(&queries, 1), k(&keys, 1);
    EXPECT_EQ(one.work(q), one.pairs(q));
    EXPECT_EQ(one.work(q, k), one.pairs(q, k));
    EXPECT_EQ(all.work(q), 2 * one.pairs(q) + 5 * other.pairs(q));
    EXPECT_EQ(all.work(q, k), 2 * one.pairs(q, k) + 5 * other.pairs(q, k));
    EXPECT_EQ(all.pairs(q), one.pairs(q));
  }
}

}  // namespace
}  // namespace cpbench
