#include "harness/cli/text.h"

#include <gtest/gtest.h>

namespace cpbench {
namespace {

using Lines = std::vector<std::string>;

TEST(Text, columns_are_those_of_the_terminal) {
  EXPECT_EQ(width_of("ring"), 4u);
  EXPECT_EQ(width_of("Zürich"), 6u);
  EXPECT_EQ(width_of("Zu\u0308rich"), 6u);  // a combining accent
  EXPECT_EQ(width_of("計測"), 4u);
  EXPECT_EQ(width_of("a\xffz"), 3u);  // no UTF-8
}
TEST(Text, is_cut_with_an_ellipsis) {
  EXPECT_EQ(cut("ring", 4), "ring");
  EXPECT_EQ(cut("rings", 4), "rin…");
  EXPECT_EQ(cut("計測計測", 6), "計測…");
}
TEST(Text, is_wrapped_at_blanks) {
  EXPECT_EQ(wrapped("tokens 8K, ranks 4", 10), (Lines{"tokens 8K,", "ranks 4"}));
  EXPECT_EQ(wrapped("tokens 8K, ranks 4", 9), (Lines{"tokens", "8K, ranks", "4"}));
  EXPECT_EQ(wrapped("a\n\nb", 9), (Lines{"a", "", "b"}));
  EXPECT_EQ(wrapped("", 9), (Lines{""}));
  EXPECT_EQ(wrapped("  indented text", 12), (Lines{"  indented", "text"}));
}
TEST(Text, a_word_that_is_longer_than_a_line_is_broken) {
  EXPECT_EQ(wrapped("a bcdefgh", 4), (Lines{"a", "bcde", "fgh"}));
  EXPECT_EQ(wrapped("計", 1), (Lines{"計"}));  // cannot be broken
}
TEST(Text, lines_of_a_paragraph_hang) {
  EXPECT_EQ(paragraph("one two three", 9, 2), "one two\n  three\n");
  EXPECT_EQ(paragraph("one two three", std::nullopt), "one two three\n");
}
TEST(Text, parts_are_shown_once) {
  EXPECT_EQ(parts_once({"kernel a; network b", "", "kernel c; network b"}),
            "kernel a; network b; kernel c");
  EXPECT_EQ(parts_once({}), "");
  EXPECT_EQ(
      parts_once({"no published run of fcp; network b", "no published run of dcp; network b"}),
      "network b; no published run of fcp, dcp");
}

}  // namespace
}  // namespace cpbench
