#include "harness/programs/find_program.h"

#include <unistd.h>

#include <cstdlib>
#include <sstream>

namespace cpbench {

namespace fs = std::filesystem;

fs::path own_folder() {
  std::error_code ignored;
  return fs::read_symlink("/proc/self/exe", ignored).parent_path();
}

std::string find_program(const std::string& program) {
  const char* path = std::getenv("PATH");
  std::istringstream folders(own_folder().string() + ":" + (path == nullptr ? "" : path));
  std::error_code ignored;
  for (std::string folder; std::getline(folders, folder, ':');) {
    const fs::path file = fs::path(folder) / program;
    if (folder.empty() || !fs::is_regular_file(file, ignored)) continue;
    if (access(file.c_str(), X_OK) == 0) return file.string();
  }
  return "";
}

}  // namespace cpbench
