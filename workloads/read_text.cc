// Reads text and CSV: one length per line. Fields are separated by commas and not quoted.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "harness/plan/input_file.h"
#include "harness/plan/nearest.h"
#include "harness/plan/shown.h"
#include "harness/presets/line_reader.h"
#include "harness/presets/split_text.h"
#include "workloads/read_lengths.h"
#include "workloads/streams.h"

namespace cpbench {
namespace {

std::string trimmed(const std::string& text) {
  const size_t first = text.find_first_not_of(" \t");
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(" \t") + 1 - first);
}

std::vector<std::string> fields_of(const std::string& line) {
  std::vector<std::string> fields = split_text(line, ',');
  std::transform(fields.begin(), fields.end(), fields.begin(), trimmed);
  return fields;
}

// A first line is a header if none of its fields begins with a digit or a sign; otherwise it may be
// a mistyped length.
bool is_header(const std::vector<std::string>& fields) {
  return std::none_of(fields.begin(), fields.end(), [](const std::string& field) {
    return !field.empty() &&
           (isdigit(static_cast<unsigned char>(field[0])) || field[0] == '-' || field[0] == '+');
  });
}

size_t column_of(const LineReader& reader, const std::vector<std::string>& header, bool named,
                 const std::string& column) {
  if (column.empty()) {
    if (header.size() == 1) return 0;
    reader.fail(
        named ? fmt::format("there are several columns ({}); name one as in 'file.csv#{}'",
                            shown(fmt::format("{}", fmt::join(header, ", ")), kLongestSentence),
                            shown(header[0]))
              : fmt::format("there are {} columns and no header; must be one length per line, or "
                            "a header and 'file.csv#column'",
                            header.size()));
  }
  if (!named)
    reader.fail(fmt::format("there is no header, so there is no column '{}'", shown(column)));
  auto found = std::find(header.begin(), header.end(), column);
  if (found == header.end()) {
    reader.fail(shown(unknown_name("column", column, header), kLongestSentence));
  }
  return found - header.begin();
}

}  // namespace

FileLengths read_text_lengths(const std::string& path, const std::string& field) {
  LineReader reader(kLengthFile, path, kAnySize);
  FileLengths documents;
  std::string line;
  size_t column = 0;
  size_t columns = 0;
  while (reader.next(line)) {
    std::vector<std::string> fields = fields_of(line);
    if (columns == 0) {
      columns = fields.size();
      bool named = is_header(fields);
      column = column_of(reader, fields, named, field);
      if (named) continue;
    }
    if (fields.size() != columns) {
      reader.fail(
          fmt::format("there are {} fields, but the first line has {}", fields.size(), columns));
    }
    const std::string& text = fields[column];
    const auto length = number_of<int64_t>(text.substr(text.starts_with('+') ? 1 : 0));
    if (!length || *length < 0 || *length > kLongestDocument) {
      reader.fail(fmt::format("'{}' is not a valid length; must be a whole number from 0 to {}",
                              shown(text), kLongestDocument));
    }
    add_line(reader, *length, documents);
  }
  return documents;
}

}  // namespace cpbench
