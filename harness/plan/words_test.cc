// Sizes, nearest names and the validation of problems: what people type.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "harness/plan/error_of_for_tests.h"
#include "harness/plan/nearest.h"
#include "harness/plan/problem.h"
#include "harness/plan/sizes.h"

namespace cpbench {
namespace {

TEST(Sizes, ReadsBinaryUnits) {
  EXPECT_EQ(parse_size("8K"), 8192);
  EXPECT_EQ(parse_size("1M"), 1 << 20);
  EXPECT_EQ(parse_size("17"), 17);
  EXPECT_EQ(size_text(8192), "8K");
  EXPECT_EQ(size_text(3 << 20), "3M");
  EXPECT_EQ(size_text(1000), "1000");
  EXPECT_EQ(size_text(0), "0");
  for (const char* bad : {"", "K", "8KB", "-1", "1.5K", "8 K", "99999999999999M"}) {
    EXPECT_THROW(parse_size(bad), UserError) << bad;
  }
}

TEST(Nearest, SuggestsWhatWasMeant) {
  std::vector<std::string> known = {"ring", "zigzag", "ulysses"};
  EXPECT_EQ(nearest("rign", known), "ring");
  EXPECT_EQ(nearest("ulises", known), "ulysses");
  EXPECT_EQ(nearest("flashattention", known), "");
  EXPECT_EQ(unknown_name("strategy", "rign", known),
            "unknown strategy 'rign'; did you mean 'ring'?");
  EXPECT_EQ(unknown_name("strategy", "magic", known),
            "unknown strategy 'magic'; known: ring, zigzag, ulysses");
}

TEST(Problem, RefusalsNameFieldValueAndRemedy) {
  auto message = [](const Problem& problem) { return error_of([&] { validate(problem); }); };
  Problem good;
  good.batch.document_lengths = {4};
  EXPECT_EQ(message(good), "");
  Problem bad = good;
  bad.batch.document_lengths = {4, -1};
  EXPECT_EQ(message(bad), "document_lengths[1] is -1; must be from 0 to 2147483648");
  bad.batch.document_lengths = {0, 0};
  EXPECT_EQ(message(bad), "the sum of document_lengths is 0; must be at least 1");
  bad.batch.document_lengths = {4, 0};  // a placeholder
  EXPECT_EQ(message(bad), "");
  bad = good;
  bad.batch.cached_tokens = {1, 1};
  EXPECT_EQ(message(bad), "the number of cached_tokens is 2; must be 1, one per document, or 0");
  bad.batch.cached_tokens = {5};
  EXPECT_EQ(message(bad), "cached_tokens[0] is 5; must be from 0 to the document's length, 4");
  bad.batch.cached_tokens = {-1};
  EXPECT_EQ(message(bad), "cached_tokens[0] is -1; must be from 0 to the document's length, 4");
  bad.batch.cached_tokens = {4};
  EXPECT_EQ(message(bad), "cached_tokens hold all 4 tokens; at least one must be new");
  bad.batch.cached_tokens = {3};
  EXPECT_EQ(message(bad), "");
  bad = good;
  bad.shape.kv_heads = 3;
  EXPECT_EQ(message(bad), "kv_heads is 3; must be a divisor of query_heads, 8");
  bad = good;
  bad.batch.mask = Mask::sliding_window;
  EXPECT_EQ(message(bad),
            "window is 0; must be from 1 to 2147483648 tokens with mask sliding_window");
  bad = good;
  bad.batch.window = 2;
  EXPECT_EQ(message(bad), "window is 2; must be 0 with mask document_causal");
}

TEST(Problem, ForestsAreValidated) {
  const auto message = [](std::vector<int32_t> parents, std::vector<DocumentRule> rules,
                          Mask mask = Mask::document_causal) {
    Problem problem;
    problem.batch = {.document_lengths = {4, 2, 3},
                     .mask = mask,
                     .parents = std::move(parents),
                     .rules = std::move(rules)};
    return error_of([&] { validate(problem); });
  };
  const DocumentRule causal;
  EXPECT_EQ(message({-1, 0, 1}, {causal, {Mask::chunked, 2}, {Mask::prefix, 9}}), "");
  EXPECT_EQ(message({-1, 0}, {}), "the number of parents is 2; must be 3, one per document, or 0");
  EXPECT_EQ(message({-1, 1, 0}, {}), "parents[1] is 1; must be an earlier document, or -1");
  EXPECT_EQ(message({-2, 0, 0}, {}), "parents[0] is -2; must be an earlier document, or -1");
  EXPECT_EQ(message({-1, 0, 0}, {}, Mask::causal),
            "mask is causal, which sees the pack as one document; must be document_causal where "
            "documents have parents or rules");
  EXPECT_EQ(message({}, {causal}), "the number of rules is 1; must be 3, one per document, or 0");
  EXPECT_EQ(message({}, {causal, causal, causal}, Mask::document_full),
            "mask is document_full; must be document_causal where documents have rules");
  EXPECT_EQ(message({}, {causal, {Mask::causal, 0}, causal}),
            "rules[1] is causal; must be a mask inside one document");
  EXPECT_EQ(message({}, {causal, {Mask::chunked, 0}, causal}),
            "the window of rules[1] is 0; must be from 1 to 2147483648 tokens with mask chunked");
  Problem chain;
  chain.batch.document_lengths.assign(258, 1);
  for (int32_t d = 0; d < 258; ++d) chain.batch.parents.push_back(d - 1);
  EXPECT_EQ(error_of([&] { validate(chain); }),
            "parents[257] is 256; must be a document with at most 255 ancestors");
}

// Sums and products of what is accepted fit 64 bits.
TEST(Problem, TooLargeOnesAreRefused) {
  const auto message = [](const std::function<void(Problem&)>& change) {
    Problem problem;
    problem.batch.document_lengths = {4};
    change(problem);
    return error_of([&] { validate(problem); });
  };
  const int64_t most = int64_t{1} << 31;
  EXPECT_EQ(message([&](Problem& p) { p.batch.document_lengths = {int64_t{1} << 60}; }),
            "document_lengths[0] is 1152921504606846976; must be from 0 to 2147483648");
  EXPECT_EQ(message([&](Problem& p) { p.batch.document_lengths = {most, 1}; }),
            "the sum of document_lengths is 2147483649; must be at most 2147483648");
  EXPECT_EQ(
      message([&](Problem& p) { p.batch.document_lengths = {most}; }),
      "2147483648 tokens and 8 query heads are too many: the squared lengths of documents (of "
      "the batch with mask causal) times heads must be at most 2^62");
  EXPECT_EQ(message([](Problem& p) { p.cluster.nodes = p.cluster.gpus_per_node = 65'536; }),
            "nodes times gpus_per_node is 4294967296; must be from 1 to 65536");
  EXPECT_EQ(message([](Problem& p) {
              p.batch.document_lengths = {int64_t{1} << 26};
              p.shape.head_dim = 16'384;
              p.cluster.nodes = 65'536;
            }),
            "67108864 tokens on 65536 ranks are too many: tokens times ranks times query_heads "
            "times (head_dim + value_head_dim) must be at most 2^58");
  // What runs at the largest scale: 32K tokens on each of 16,384 ranks.
  EXPECT_EQ(message([](Problem& p) {
              p.batch.document_lengths.assign(4096, 131'072);
              p.shape.query_heads = 64;
              p.shape.head_dim = p.shape.value_head_dim = 128;
              p.cluster.nodes = 2'048;
              p.cluster.gpus_per_node = 8;
            }),
            "");
  EXPECT_EQ(message([](Problem& p) { p.shape.query_heads = p.shape.kv_heads = 1 << 20; }),
            "query_heads is 1048576; must be from 1 to 16384");
  EXPECT_EQ(message([](Problem& p) { p.cluster.memory_bytes = NAN; }),
            "memory_bytes is nan; must be finite and at least 0");
}

}  // namespace
}  // namespace cpbench
