// Sizes, nearest names and the validation of problems: what people type.
#include <gtest/gtest.h>

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
  bad.batch.document_lengths = {4, 0};
  EXPECT_EQ(message(bad), "document_lengths[1] is 0; must be at least 1 token");
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
  EXPECT_EQ(message(bad), "window is 0; must be at least 1 token with mask sliding_window");
}

}  // namespace
}  // namespace cpbench
