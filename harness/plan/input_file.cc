#include "harness/plan/input_file.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "harness/plan/errors.h"
#include "harness/plan/shown.h"

namespace cpbench {
namespace {

namespace fs = std::filesystem;

constexpr size_t kLongestPath = 500;

[[noreturn]] void refuse(const std::string& kind, const std::string& path,
                         const std::string& reason) {
  throw UserError("cannot read the " + kind + " '" + shown(path, kLongestPath) + "': " + reason);
}

[[noreturn]] void refuse_size(const std::string& kind, const std::string& path,
                              int64_t most_bytes) {
  refuse(kind, path, "it has more than " + std::to_string(most_bytes) + " bytes");
}

}  // namespace

void require_input(const std::string& kind, const std::string& path, int64_t most_bytes) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (status.type() == fs::file_type::not_found) refuse(kind, path, "it does not exist");
  if (error) refuse(kind, path, error.message());
  if (fs::is_directory(status)) refuse(kind, path, "it is a folder");
  if (!fs::is_regular_file(status)) {
    refuse(kind, path, "it is a pipe, a socket or a device; must be a regular file");
  }
  const auto size = fs::file_size(path, error);
  if (error) refuse(kind, path, error.message());
  if (size > static_cast<uint64_t>(most_bytes)) refuse_size(kind, path, most_bytes);
}

std::ifstream open_input(const std::string& kind, const std::string& path, int64_t most_bytes) {
  require_input(kind, path, most_bytes);
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) refuse(kind, path, std::strerror(errno));
  return file;
}

std::string read_input(const std::string& kind, const std::string& path, int64_t most_bytes) {
  constexpr size_t kPiece = 1 << 16;
  std::ifstream file = open_input(kind, path, most_bytes);
  std::string text;
  while (file) {
    const size_t before = text.size();
    text.resize(before + kPiece);
    file.read(&text[before], kPiece);
    text.resize(before + static_cast<size_t>(file.gcount()));
    if (std::ssize(text) > most_bytes) refuse_size(kind, path, most_bytes);
  }
  if (file.bad()) refuse(kind, path, "reading failed");
  return text;
}

}  // namespace cpbench
