// Text and CSV: one length per line. Fields are separated by commas and not quoted.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "harness/plan/nearest.h"
#include "harness/presets/line_reader.h"
#include "workloads/read_lengths.h"
#include "workloads/streams.h"

namespace cpbench {
namespace {

std::vector<std::string> fields_of(const std::string& line) {
  std::vector<std::string> fields;
  for (size_t start = 0; start <= line.size();) {
    size_t end = std::min(line.find(',', start), line.size());
    std::string field = line.substr(start, end - start);
    size_t first = field.find_first_not_of(" \t");
    size_t last = field.find_last_not_of(" \t");
    fields.push_back(first == std::string::npos ? "" : field.substr(first, last - first + 1));
    start = end + 1;
  }
  return fields;
}

std::optional<int64_t> whole_number(const std::string& text) {
  int64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// A first line without any digit at the start of a field is a header, not a mistyped length.
bool is_header(const std::vector<std::string>& fields) {
  return std::none_of(fields.begin(), fields.end(), [](const std::string& field) {
    return !field.empty() && (isdigit(static_cast<unsigned char>(field[0])) || field[0] == '-');
  });
}

size_t column_of(const LineReader& reader, const std::vector<std::string>& header, bool named,
                 const std::string& column) {
  if (column.empty()) {
    if (header.size() == 1) return 0;
    reader.fail(named
                    ? fmt::format("several columns ({}); name one, as in 'file.csv#{}'",
                                  fmt::join(header, ", "), header[0])
                    : fmt::format("{} columns and no header; one length per line, or a header and "
                                  "'file.csv#column'",
                                  header.size()));
  }
  if (!named) reader.fail(fmt::format("no header line, so no column '{}'", column));
  auto found = std::find(header.begin(), header.end(), column);
  if (found == header.end()) reader.fail(unknown_name("column", column, header));
  return found - header.begin();
}

}  // namespace

std::vector<int64_t> read_text_lengths(const std::string& path, const std::string& field) {
  LineReader reader(path);
  std::vector<int64_t> lengths;
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
      reader.fail(fmt::format("{} fields where the first line has {}", fields.size(), columns));
    }
    auto length = whole_number(fields[column]);
    if (!length || *length < 1 || *length > kLongestDocument) {
      reader.fail(fmt::format("'{}' is no length; it wants a whole number from 1 to {}",
                              fields[column], kLongestDocument));
    }
    lengths.push_back(*length);
  }
  return lengths;
}

}  // namespace cpbench
