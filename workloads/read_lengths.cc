#include "workloads/read_lengths.h"

#include <fmt/format.h>

#include <filesystem>

#include "harness/plan/errors.h"

namespace cpbench {

bool names_length_file(const std::string& name) {
  std::error_code ignored;
  // The '.' of a parameter in a mistyped distribution does not count: "lognormel:sigma=0.7".
  std::string front = name.substr(0, name.find(':'));
  return front.find_first_of("/.#") != std::string::npos || std::filesystem::exists(name, ignored);
}

std::vector<int64_t> read_lengths(const std::string& path_and_field) {
  size_t hash = path_and_field.rfind('#');
  std::string path = path_and_field.substr(0, hash);
  std::string field = hash == std::string::npos ? "" : path_and_field.substr(hash + 1);
  std::error_code error;
  auto status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status)) {
    throw UserError(fmt::format("the file of lengths '{}' does not exist", path));
  }
  if (std::filesystem::is_directory(status)) {
    throw UserError(fmt::format("'{}' is a folder, not a file of lengths", path));
  }
  std::string ending = std::filesystem::path(path).extension();
  bool binary = ending == ".npy" || ending == ".idx";
  if (binary && !field.empty()) {
    throw UserError(fmt::format("'{}': a {} file has no field '{}'", path, ending, field));
  }
  std::vector<int64_t> lengths = ending == ".npy"     ? read_npy_lengths(path)
                                 : ending == ".idx"   ? read_idx_lengths(path)
                                 : ending == ".jsonl" ? read_jsonl_lengths(path, field)
                                                      : read_text_lengths(path, field);
  if (lengths.empty()) throw UserError(fmt::format("'{}' has no lengths", path));
  return lengths;
}

}  // namespace cpbench
