#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>

#include "harness/plan/input_file.h"
#include "harness/plan/shown.h"
#include "harness/presets/line_reader.h"
#include "workloads/read_lengths.h"
#include "workloads/streams.h"

namespace cpbench {
namespace {

using nlohmann::json;

int64_t words_of(const std::string& text) {
  int64_t words = 0;
  bool inside = false;
  for (unsigned char c : text) {
    bool space = isspace(c);
    words += !space && !inside;
    inside = !space;
  }
  return words;
}

int64_t length_of(const LineReader& reader, const json& value, const std::string& field,
                  bool words) {
  if (value.is_string()) {
    if (words) return words_of(value.get_ref<const std::string&>());
    reader.fail(
        fmt::format("'{}' is a string; '#{}:words' counts its words, as an estimate of its tokens",
                    field, field));
  }
  if (words) reader.fail(fmt::format("'{}' must be a string, so that it has words", field));
  if (value.is_array()) return static_cast<int64_t>(value.size());
  if (value.is_number_unsigned()) {
    return static_cast<int64_t>(std::min<uint64_t>(value.get<uint64_t>(), INT64_MAX));
  }
  if (value.is_number_integer()) return value.get<int64_t>();
  reader.fail(fmt::format("'{}' must be a whole number, an array or a string", field));
}

}  // namespace

FileLengths read_jsonl_lengths(const std::string& path, const std::string& field) {
  constexpr std::string_view kWords = ":words";
  bool words = field.ends_with(kWords);
  std::string name = words ? field.substr(0, field.size() - kWords.size()) : field;
  if (name.empty()) name = words ? "text" : "length";

  LineReader reader(kLengthFile, path, kAnySize);
  FileLengths documents;
  std::string line;
  while (reader.next(line)) {
    json row = json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!row.is_object()) reader.fail("the line must be one JSON object");
    auto found = row.find(name);
    if (found == row.end()) {
      std::vector<std::string> known;
      for (const auto& [key, value] : row.items()) known.push_back(key);
      reader.fail(fmt::format(
          "there is no field '{}', only {}; name one as in 'file.jsonl#input_ids'", shown(name),
          shown(fmt::format("{}", fmt::join(known, ", ")), kLongestSentence)));
    }
    int64_t length = length_of(reader, *found, shown(name), words);
    if (length < 0 || length > kLongestDocument) {
      reader.fail(fmt::format("the length of '{}' is {}; must be from 0 to {}", shown(name), length,
                              kLongestDocument));
    }
    add_line(reader, length, documents);
  }
  return documents;
}

}  // namespace cpbench
