#include "harness/cli/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "harness/plan/errors.h"
#include "harness/plan/nearest.h"

namespace cpbench {

namespace {

constexpr const char* kGap = "  ";

// Code points, so that a cell with an accent keeps its column.
size_t width_of(const std::string& text) {
  return std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; });
}

std::vector<size_t> widths_of(const Table& table) {
  std::vector<size_t> widths;
  for (size_t c = 0; c < table.columns.size(); ++c) {
    size_t width = width_of(table.columns[c].name);
    for (const auto& row : table.rows) width = std::max(width, width_of(row[c]));
    widths.push_back(width);
  }
  return widths;
}

std::string padded(const std::string& text, size_t width, bool right) {
  const std::string blanks(width - width_of(text), ' ');
  return right ? blanks + text : text + blanks;
}

std::string aligned(const Table& table) {
  const std::vector<size_t> widths = widths_of(table);
  std::string out;
  const auto line = [&](const auto& cell) {
    std::string text;
    for (size_t c = 0; c < table.columns.size(); ++c) {
      text += (c ? kGap : "") + padded(cell(c), widths[c], table.columns[c].number);
    }
    text.erase(text.find_last_not_of(' ') + 1);
    out += text + "\n";
  };
  line([&](size_t c) { return table.columns[c].name; });
  for (const auto& row : table.rows) line([&](size_t c) { return row[c]; });
  return out;
}

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

std::string markdown(const Table& table) {
  std::string out = "|", rule = "|";
  for (const Column& column : table.columns) {
    out += " " + column.name + " |";
    rule += column.number ? "---:|" : "---|";
  }
  out += "\n" + rule + "\n";
  for (const auto& row : table.rows) {
    out += "|";
    for (const std::string& text : row) {
      std::string cell;
      for (const char c : text) cell += c == '|' ? std::string("\\|") : std::string(1, c);
      out += " " + cell + " |";
    }
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
  return array.dump(2) + "\n";
}

}  // namespace

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

std::string render(const Table& table, Format format) {
  switch (format) {
    case Format::table:
      return aligned(table);
    case Format::csv:
      return csv(table);
    case Format::json:
      return json(table);
    case Format::md:
      return markdown(table);
  }
  return "";
}

std::string fold_constant_columns(Table& table, size_t kept) {
  if (table.rows.size() < 2) return "";
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

std::string short_number(double value) {
  if (std::isnan(value)) return "nan";
  const double size = std::abs(value);
  for (const auto& [unit, name] :
       {std::pair{1e15, "P"}, {1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e3, "k"}}) {
    if (size >= 0.9995 * unit) return fmt::format("{:.3g}{}", value / unit, name);
  }
  return fmt::format("{:.3g}", value);
}

std::string short_seconds(double seconds) {
  if (std::isnan(seconds)) return "nan";
  if (seconds >= 1) return fmt::format("{:.3g} s", seconds);
  if (seconds >= 1e-3) return fmt::format("{:.3g} ms", seconds * 1e3);
  return fmt::format("{:.3g} us", seconds * 1e6);
}

}  // namespace cpbench
