#include "harness/plan/input_file.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "harness/plan/errors.h"

namespace cpbench {
namespace {

namespace fs = std::filesystem;

class InputFile : public ::testing::Test {
 protected:
  InputFile() {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  ~InputFile() override { fs::remove_all(folder_); }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  // The reason of the refusal; the text of the file if there is none.
  std::string read(const std::string& name, int64_t most_bytes = 100) const {
    try {
      return read_input("plan file", path(name), most_bytes);
    } catch (const UserError& error) {
      const std::string start = "cannot read the plan file '" + path(name) + "': ";
      const std::string message = error.what();
      EXPECT_TRUE(message.starts_with(start)) << message;
      return message.substr(std::min(message.size(), start.size()));
    }
  }

  const fs::path folder_ =
      fs::temp_directory_path() / (std::string("cpbench_input_") +
                                   ::testing::UnitTest::GetInstance()->current_test_info()->name());
};

TEST_F(InputFile, a_regular_file_is_read_up_to_its_bound) {
  std::ofstream(path("a")) << "12345";
  fs::create_symlink(path("a"), path("link"));
  EXPECT_EQ(read("a", 5), "12345");
  EXPECT_EQ(read("link"), "12345");
  EXPECT_EQ(read("a", 4), "it has more than 4 bytes");
  // The size of a file in /proc is 0.
  EXPECT_EQ(read_input("file", "/proc/self/cmdline", 1 << 20).empty(), false);
  EXPECT_THROW(read_input("file", "/proc/self/cmdline", 1), UserError);
}

TEST_F(InputFile, what_is_not_a_regular_file_is_refused_without_opening_it) {
  fs::create_symlink(path("loop"), path("loop"));
  EXPECT_EQ(read("loop"), "Too many levels of symbolic links");
  EXPECT_EQ(read("loop/a"), "Too many levels of symbolic links");
  EXPECT_EQ(read("missing"), "it does not exist");
  EXPECT_EQ(read("."), "it is a folder");
  fs::create_symlink("/dev/zero", path("device"));
  EXPECT_EQ(read("device"), "it is a pipe, a socket or a device; must be a regular file");
}

}  // namespace
}  // namespace cpbench
