#include "harness/plan/shown.h"

#include <gtest/gtest.h>

#include "harness/plan/errors.h"
#include "harness/plan/nearest.h"
#include "harness/plan/sizes.h"

namespace cpbench {
namespace {

TEST(Shown, a_short_value_is_shown_as_it_is) {
  EXPECT_EQ(shown(""), "");
  EXPECT_EQ(shown("8Q"), "8Q");
  EXPECT_EQ(shown("größe"), "größe");
  EXPECT_EQ(shown(std::string(kLongestShown, 'a')), std::string(kLongestShown, 'a'));
}

TEST(Shown, a_long_value_is_cut_between_characters) {
  EXPECT_EQ(shown("abcdef", 3), "abc...");
  EXPECT_EQ(shown("ab\xC3\xA4z", 3), "ab...");
  EXPECT_EQ(shown("ab\xC3\xA4z", 4), "ab\xC3\xA4...");
  EXPECT_EQ(shown(std::string(5, '\x80'), 3), "...");
}

TEST(Shown, a_message_stays_one_line) { EXPECT_EQ(shown("a\nb\x1b\x7f"), "a b  "); }

TEST(Shown, messages_of_mistyped_words_are_short) {
  const std::string word(1000000, 'a');
  EXPECT_LT(unknown_name("shape", word, {"tiny"}).size(), 200u);
  try {
    parse_size(word);
    FAIL();
  } catch (const UserError& error) {
    EXPECT_LT(std::string(error.what()).size(), 200u);
  }
}

}  // namespace
}  // namespace cpbench
