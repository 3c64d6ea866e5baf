#include "harness/presets/presets.h"

#include <sys/stat.h>

#include <algorithm>
#include <limits>

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
  EXPECT_EQ(error_of([] { find_preset(PresetKind::clusters, "h10"); }),
            "unknown cluster 'h10'; did you mean 'h100'?");
  EXPECT_EQ(error_of([] { find_preset(PresetKind::kernels, "no/such.toml"); }),
            "cannot read the kernel model file 'no/such.toml': it does not exist");
  EXPECT_EQ(error_of([] { find_preset(PresetKind::shapes, "/"); }),
            "cannot read the shape file '/': it is a folder");
  const TestFile large("large.toml", std::string((1 << 20) + 1, '#'));
  EXPECT_EQ(error_of([&] { find_preset(PresetKind::shapes, large.path()); }),
            "cannot read the shape file '" + large.path() + "': it has more than 1048576 bytes");
}

TEST(Presets, a_pipe_is_refused_without_waiting_for_it) {
  const TestFile pipe("pipe.toml", "");
  std::filesystem::remove(pipe.path());
  ASSERT_EQ(mkfifo(pipe.path().c_str(), 0600), 0);
  const std::string reason = "it is a pipe, a socket or a device; must be a regular file";
  EXPECT_EQ(error_of([&] { find_preset(PresetKind::suites, pipe.path()); }),
            "cannot read the suite file '" + pipe.path() + "': " + reason);
  EXPECT_EQ(error_of([&] { LineReader("file", pipe.path(), 1); }),
            "cannot read the file '" + pipe.path() + "': " + reason);
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
  LineReader lines("file", file.path(), 100);
  std::string line;
  ASSERT_TRUE(lines.next(line));
  EXPECT_EQ(line, "a");
  ASSERT_TRUE(lines.next(line));
  EXPECT_EQ(line, "b");
  EXPECT_EQ(error_of([&] { lines.fail("is wrong"); }), file.path() + ":4: is wrong");
  EXPECT_FALSE(lines.next(line));
}

TEST(LineReader, reads_lines_longer_than_its_buffer_up_to_a_bound) {
  const std::string longest(size_t{64} << 20, 'a');
  const TestFile file("lines.csv", longest + "\nb\n" + longest + "a");
  LineReader lines("file", file.path(), std::numeric_limits<int64_t>::max());
  std::string line;
  ASSERT_TRUE(lines.next(line));
  EXPECT_TRUE(line == longest);
  ASSERT_TRUE(lines.next(line));
  EXPECT_EQ(line, "b");
  EXPECT_EQ(error_of([&] { lines.next(line); }),
            file.path() + ":3: the line has more than 67108864 bytes");
}

}  // namespace
}  // namespace cpbench
