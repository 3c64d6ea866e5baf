#include "harness/cli/table.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "harness/cli/aligned.h"
#include "harness/cli/json_number.h"
#include "harness/cli/text.h"
#include "harness/plan/errors.h"
#include "harness/plan/nearest.h"

namespace cpbench {

namespace {

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

std::string csv(const Table& table) {
  std::string out;
  for (size_t c = 0; c < table.columns.size(); ++c) {
    out += (c ? "," : "") + csv_field(table.columns[c].name);
  }
  out += "\n";
  for (const auto& row : table.rows) {
    for (size_t c = 0; c < row.size(); ++c) out += (c ? "," : "") + csv_field(row[c]);
    out += "\n";
  }
  return out;
}

// Text that Markdown shows as it is, on one line.
std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '\n':
        out += "<br>";
        break;
      case '\\':
      case '|':
      case '`':
      case '*':
        out += '\\';
        [[fallthrough]];
      default:
        out += c;
    }
  }
  return out;
}

std::string markdown(const Table& table) {
  std::string out = "|", rule = "|";
  for (const Column& column : table.columns) {
    out += " " + escaped(column.name) + " |";
    rule += column.number ? "---:|" : "---|";
  }
  out += "\n" + rule + "\n";
  for (const auto& row : table.rows) {
    out += "|";
    for (const std::string& text : row) out += " " + escaped(text) + " |";
    out += "\n";
  }
  return out;
}

std::string json(const Table& table) {
  nlohmann::ordered_json array = nlohmann::ordered_json::array();
  for (const auto& row : table.rows) {
    nlohmann::ordered_json object = nlohmann::ordered_json::object();
    for (size_t c = 0; c < row.size(); ++c) object[table.columns[c].name] = row[c];
    array.push_back(std::move(object));
  }
  return json_text(array, 2) + "\n";
}

}  // namespace

const std::string& key_of(const Column& column) {
  return column.key.empty() ? column.name : column.key;
}

const std::vector<std::string>& format_names() {
  static const std::vector<std::string> names = {"table", "csv", "json", "md"};
  return names;
}

Format parse_format(const std::string& name) {
  const auto& names = format_names();
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) throw UserError("--format: " + unknown_name("format", name, names));
  return static_cast<Format>(found - names.begin());
}

Table with_columns(const Table& table, const std::vector<std::string>& keys) {
  if (keys.empty()) return table;
  Table out{{table.columns.front()}, {}, table.wraps};
  for (const auto& row : table.rows) out.rows.push_back({row.front()});
  int importance = static_cast<int>(keys.size());
  for (const std::string& key : keys) {
    std::vector<std::string> known;
    bool found = false;
    for (size_t c = 0; c < table.columns.size(); ++c) {
      Column column = table.columns[c];
      if (std::ranges::find(known, key_of(column)) == known.end()) known.push_back(key_of(column));
      if (key_of(column) != key && column.name != key) continue;
      found = true;
      if (c == 0) continue;
      column.importance = importance;
      out.columns.push_back(column);
      for (size_t i = 0; i < table.rows.size(); ++i) out.rows[i].push_back(table.rows[i][c]);
    }
    if (!found) throw UserError("--columns: " + unknown_name("column", key, known));
    --importance;
  }
  return out;
}

std::string render(const Table& table, Format format, const View& view) {
  switch (format) {
    case Format::table:
      return aligned(with_columns(table, view.columns), view.width, view.more);
    case Format::csv:
      return csv(table);
    case Format::json:
      return json(table);
    case Format::md:
      return markdown(with_columns(table, view.columns));
  }
  return "";
}

std::string prose(const std::string& text, Format format, std::optional<size_t> width) {
  return paragraph(format == Format::md ? escaped(text) : text, width);
}

std::string fold_constant_columns(Table& table, size_t kept, size_t least_rows) {
  if (table.rows.empty() || table.rows.size() < least_rows) return "";
  std::string folded;
  for (size_t c = table.columns.size(); c-- > kept;) {
    const std::string& first = table.rows.front()[c];
    const bool constant = std::all_of(table.rows.begin(), table.rows.end(),
                                      [&](const auto& row) { return row[c] == first; });
    if (!constant) continue;
    if (!first.empty()) {
      folded = table.columns[c].name + " " + first + (folded.empty() ? "" : ", ") + folded;
    }
    table.columns.erase(table.columns.begin() + static_cast<std::ptrdiff_t>(c));
    for (auto& row : table.rows) row.erase(row.begin() + static_cast<std::ptrdiff_t>(c));
  }
  return folded;
}

Table joined(Table a, const Table& b) {
  a.columns.insert(a.columns.end(), b.columns.begin(), b.columns.end());
  for (size_t i = 0; i < a.rows.size(); ++i) {
    a.rows[i].insert(a.rows[i].end(), b.rows[i].begin(), b.rows[i].end());
  }
  return a;
}

}  // namespace cpbench
