#include "workloads/read_lengths.h"

#include <fmt/format.h>

#include <filesystem>

#include "harness/plan/errors.h"
#include "harness/plan/input_file.h"
#include "harness/plan/shown.h"

namespace cpbench {

bool names_length_file(const std::string& name) {
  std::error_code ignored;
  // The '.' of a parameter in a mistyped distribution does not count: "lognormel:sigma=0.7".
  std::string front = name.substr(0, name.find(':'));
  return front.find_first_of("/.#") != std::string::npos || std::filesystem::exists(name, ignored);
}

void add_line(const LineReader& reader, int64_t length, FileLengths& documents) {
  if (std::ssize(documents.lengths) == kMostDocuments) {
    reader.fail(fmt::format("the file has more than {} documents", kMostDocuments));
  }
  if (length > 0) {
    documents.lengths.push_back(length);
  } else {
    ++documents.skipped;
  }
}

FileLengths read_lengths(const std::string& path_and_field) {
  size_t hash = path_and_field.rfind('#');
  std::string path = path_and_field.substr(0, hash);
  std::string field = hash == std::string::npos ? "" : path_and_field.substr(hash + 1);
  require_input(kLengthFile, path);
  std::string ending = std::filesystem::path(path).extension();
  bool binary = ending == ".npy" || ending == ".idx";
  if (binary && !field.empty()) {
    throw UserError(fmt::format("'{}': a {} file has no field '{}'", path, ending, shown(field)));
  }
  FileLengths documents = ending == ".npy"     ? read_npy_lengths(path)
                          : ending == ".idx"   ? read_idx_lengths(path)
                          : ending == ".jsonl" ? read_jsonl_lengths(path, field)
                                               : read_text_lengths(path, field);
  if (documents.lengths.empty()) {
    throw UserError(documents.skipped > 0
                        ? fmt::format("'{}' has only documents without tokens", path)
                        : fmt::format("'{}' has no lengths", path));
  }
  return documents;
}

}  // namespace cpbench
