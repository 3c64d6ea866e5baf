#include "harness/cli/result_files.h"

#include <algorithm>
#include <filesystem>

#include "harness/plan/errors.h"

namespace cpbench {

std::vector<std::string> result_files(const std::string& path) {
  namespace fs = std::filesystem;
  if (!fs::exists(path)) throw UserError(path + ": no such file or folder");
  if (!fs::is_directory(path)) return {path};
  std::vector<std::string> files;
  std::error_code error;
  for (const auto& entry : fs::recursive_directory_iterator(path, error)) {
    if (entry.path().extension() == ".h5") files.push_back(entry.path().string());
  }
  if (error) throw UserError(path + ": " + error.message());
  if (files.empty()) throw UserError(path + ": no result files (.h5) in this folder");
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace cpbench
