#include "harness/presets/toml_file.h"

#include "harness/presets/files_for_tests.h"

namespace cpbench {
namespace {

std::string repeated(const std::string& piece, size_t times) {
  std::string text;
  for (size_t i = 0; i < times; ++i) text += piece;
  return text;
}

std::string refused(const std::string& text) {
  return error_of([&] { parse_toml("a.toml", text); });
}

constexpr size_t kDeep = 100000;
constexpr const char* kTooManyParts = "a.toml:2: a key has more than 16 parts, joined by '.'";

TEST(TomlFile, deep_keys_and_headers_are_refused_with_their_line) {
  const std::string deep = repeated("a.", kDeep) + "a";
  EXPECT_EQ(refused("\n" + deep + " = 1\n"), kTooManyParts);
  EXPECT_EQ(refused("\n[" + deep + "]\n"), kTooManyParts);
  EXPECT_EQ(refused("\n[[" + deep + "]]\n"), kTooManyParts);
  EXPECT_EQ(refused("\nx = {" + deep + " = 1}\n"), kTooManyParts);
  EXPECT_EQ(refused("\n" + repeated("'a' . ", kDeep) + "a = 1\n"), kTooManyParts);
  EXPECT_EQ(refused("\n" + repeated("\"a\".", kDeep) + "a = 1\n"), kTooManyParts);
  EXPECT_EQ(refused("\nx = {y = '''a'''''," + deep + " = 1}\n"), kTooManyParts);
  EXPECT_EQ(refused("\nx = {y = \"a\\\"\", " + deep + " = 1}\n"), kTooManyParts);
}

TEST(TomlFile, deep_values_are_refused_with_their_line) {
  for (const char* piece : {"[", "{a = "}) {
    const std::string message = refused("\nx = " + repeated(piece, kDeep));
    EXPECT_EQ(message,
              "a.toml:2: Error while parsing value: exceeded maximum nested value depth of 256 "
              "(TOML_MAX_NESTED_VALUES)");
  }
}

TEST(TomlFile, the_deepest_accepted_file_is_read_and_freed) {
  const std::string key = repeated("a.", 15) + "a";
  EXPECT_EQ(refused("[" + key + "]\n" + key + " = " + repeated("{" + key + " = ", 200) + "1" +
                    repeated("}", 200)),
            "");
}

TEST(TomlFile, dots_outside_of_keys_are_not_counted) {
  const std::string dots = repeated(".", 100);
  EXPECT_EQ(refused("a = \"" + dots + "\" # " + dots + "\nb = '" + dots + "'\n"), "");
  EXPECT_EQ(refused("a = '''\n" + dots + "''" + dots + "'''\nb = \"\"\"" + dots + "\\\"\"\"\"\n"),
            "");
  EXPECT_EQ(refused("a = [" + repeated("1.5, ", 100) + "]\n"), "");
}

TEST(TomlFile, a_reason_does_not_quote_the_whole_file) {
  const std::string key(1000000, 'k');
  EXPECT_LT(refused("[" + key + "]\n[" + key + "]\n").size(), 500u);
}

}  // namespace
}  // namespace cpbench
