#include "harness/execute_cuda/attention/find_flash3.h"

#include <cstdlib>

namespace cpbench {
namespace {

namespace fs = std::filesystem;

// The first entry of the folder whose name begins and ends so; empty if there is none.
fs::path entry_of(const fs::path& folder, const std::string& begin, const std::string& end) {
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename();
    if (name.starts_with(begin) && name.ends_with(end)) return entry.path();
  }
  return {};
}

}  // namespace

std::optional<Flash3Package> find_flash3(const fs::path& packages) {
  std::error_code error;
  if (const char* named = std::getenv(kFlash3Variable)) {
    if (!fs::is_regular_file(named, error)) return std::nullopt;
    return Flash3Package{named, "unknown"};
  }
  Flash3Package found{entry_of(packages / "flash_attn_3", "_C.", ".so"), "unknown"};
  if (found.library.empty()) return std::nullopt;
  const std::string begin = "flash_attn_3-", end = ".dist-info";
  const std::string info = entry_of(packages, begin, end).filename();
  if (!info.empty()) {
    found.version = info.substr(begin.size(), info.size() - begin.size() - end.size());
  }
  return found;
}

}  // namespace cpbench
