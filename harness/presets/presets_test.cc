#include "harness/presets/presets.h"

#include <algorithm>

#include "harness/presets/files_for_tests.h"
#include "harness/presets/line_reader.h"
#include "harness/presets/split_text.h"

namespace cpbench {
namespace {

constexpr PresetKind kKinds[] = {PresetKind::clusters, PresetKind::kernels, PresetKind::lengths,
                                 PresetKind::profiles, PresetKind::shapes,  PresetKind::suites};

TEST(Presets, every_kind_has_sorted_names_that_are_found) {
  for (PresetKind kind : kKinds) {
    const std::vector<std::string> names = preset_names(kind);
    ASSERT_FALSE(names.empty());
    EXPECT_TRUE(std::ranges::is_sorted(names));
    for (const std::string& name : names) {
      const Preset preset = find_preset(kind, name);
      EXPECT_EQ(preset.name, name);
      EXPECT_TRUE(preset.place.ends_with("'" + name + "'")) << preset.place;
      EXPECT_FALSE(preset.text.empty()) << name;
    }
  }
}

TEST(Presets, names_of_subfolders_have_their_path) {
  const std::vector<std::string> suites = preset_names(PresetKind::suites);
  EXPECT_EQ(std::ranges::count(suites, "quick"), 1);
  EXPECT_EQ(std::ranges::count(suites, "reproduce/fcp_fig9"), 1);
}

TEST(Presets, a_path_is_the_users_file) {
  const TestFile file("mine.toml", "key = 1\n");
  const Preset preset = find_preset(PresetKind::profiles, file.path());
  EXPECT_EQ(preset.name, "mine");
  EXPECT_EQ(preset.place, file.path());
  EXPECT_EQ(preset.text, "key = 1\n");
  EXPECT_TRUE(names_file("mine.toml"));
  EXPECT_TRUE(names_file("./mine"));
  EXPECT_FALSE(names_file("h100"));
}

TEST(Presets, bad_names_are_refused) {
  EXPECT_EQ(refusal([] { find_preset(PresetKind::clusters, "h10"); }),
            "unknown cluster 'h10'; did you mean 'h100'?");
  EXPECT_EQ(refusal([] { find_preset(PresetKind::kernels, "no/such.toml"); }),
            "cannot read the kernel model file 'no/such.toml'");
  EXPECT_EQ(refusal([] { find_preset(PresetKind::shapes, "/"); }),
            "cannot read the shape file '/'");
}

TEST(SplitText, keeps_empty_pieces) {
  using Pieces = std::vector<std::string>;
  EXPECT_EQ(split_text("a,,b", ','), Pieces({"a", "", "b"}));
  EXPECT_EQ(split_text("", ','), Pieces({""}));
  EXPECT_EQ(split_text("a+", '+'), Pieces({"a", ""}));
}

TEST(SplitText, a_number_is_the_whole_text) {
  EXPECT_EQ(number_of<int64_t>("-12"), -12);
  EXPECT_EQ(number_of<double>("2.5e3"), 2500);
  for (const char* text : {"", "1x", " 1", "1 ", "x"}) {
    EXPECT_EQ(number_of<int64_t>(text), std::nullopt) << text;
  }
  EXPECT_EQ(number_of<int32_t>("4294967296"), std::nullopt);
}

TEST(LineReader, skips_blank_lines_but_counts_them) {
  const TestFile file("lines.csv",
                      "\xEF\xBB\xBF"
                      "a\r\n\r\n \nb\n");
  LineReader lines(file.path());
  std::string line;
  ASSERT_TRUE(lines.next(line));
  EXPECT_EQ(line, "a");
  ASSERT_TRUE(lines.next(line));
  EXPECT_EQ(line, "b");
  EXPECT_EQ(refusal([&] { lines.fail("is wrong"); }), file.path() + ":4: is wrong");
  EXPECT_FALSE(lines.next(line));
  EXPECT_EQ(refusal([] { LineReader("/no/such"); }), "cannot open '/no/such' for reading");
}

}  // namespace
}  // namespace cpbench
