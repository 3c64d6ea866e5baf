#include "harness/store/atomic_file.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/store/temporary_folder_for_tests.h"

namespace cpbench {
namespace {

// The temporary file that a process leaves which is killed while it writes.
std::string abandoned(const std::string& path) {
  const pid_t process = ::fork();
  if (process == 0) {
    std::string name = temporary_name(path);
    _exit(::mkstemp(name.data()) < 0);
  }
  int status = 0;
  ::waitpid(process, &status, 0);
  EXPECT_EQ(status, 0);
  std::string name = temporary_name(path);
  name.replace(name.find(std::to_string(::getpid())), std::to_string(::getpid()).size(),
               std::to_string(process));
  return name.substr(0, name.size() - std::string("XXXXXX").size());
}

std::vector<std::string> files_of(const TemporaryFolder& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
    names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

TEST(AtomicFile, FilesOfProcessesThatAreGoneAreRemoved) {
  const TemporaryFolder folder;
  const std::string left = abandoned(folder / "a.h5");
  ASSERT_EQ(files_of(folder).size(), 1u);
  EXPECT_EQ((folder / files_of(folder).front()).string().substr(0, left.size()), left);
  remove_abandoned(folder.path());
  EXPECT_EQ(files_of(folder), std::vector<std::string>());
}

TEST(AtomicFile, OtherFilesStay) {
  const TemporaryFolder folder;
  std::string mine = temporary_name(folder / "a.h5");
  ASSERT_GE(::close(::mkstemp(mine.data())), 0);
  // Of another host, and of a user.
  for (const char* name : {".a.h5.no-such-host.1.tmp-abcdef", "a.h5", ".tmp-abcdef", "a.tmp-1"}) {
    std::ofstream(folder / name) << "x";
  }
  const std::vector<std::string> before = files_of(folder);
  EXPECT_EQ(before.size(), 5u);
  remove_abandoned(folder.path());
  EXPECT_EQ(files_of(folder), before);
}

}  // namespace
}  // namespace cpbench
