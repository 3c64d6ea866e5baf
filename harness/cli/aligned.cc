#include "harness/cli/aligned.h"

#include <algorithm>
#include <numeric>
#include <sstream>

#include "harness/cli/text.h"

namespace cpbench {
namespace {

constexpr const char* kGap = "  ";
constexpr size_t kGapWidth = 2;
constexpr size_t kLeastCut = 24;  // columns that a long text keeps when it is cut
constexpr size_t kLeastWrapped = 14;
constexpr size_t kLeastHeading = 8;  // so that "speed /" and "per rank" stay on one line

using Lines = std::vector<std::string>;

struct Shown {
  size_t column;  // of the table
  size_t width;
};

size_t longest_word(const std::string& text) {
  size_t width = 0;
  std::istringstream words(text);
  for (std::string word; words >> word;) width = std::max(width, width_of(word));
  return width;
}

size_t widest_field(const Table& table, size_t c) {
  size_t width = 0;
  for (const auto& row : table.rows) width = std::max(width, width_of(row[c]));
  return width;
}

size_t natural_width(const Table& table, size_t c) {
  return std::max(width_of(table.columns[c].name), widest_field(table, c));
}

// With the heading on several lines, and long texts cut or wrapped.
size_t least_width(const Table& table, size_t c) {
  const bool whole = c == 0 || table.columns[c].number;
  const size_t field = widest_field(table, c);
  const size_t least = table.wraps ? kLeastWrapped : kLeastCut;
  const std::string& name = table.columns[c].name;
  const size_t heading = std::max(longest_word(name), std::min(width_of(name), kLeastHeading));
  return std::max(heading, whole ? field : std::min(field, least));
}

size_t total_width(const std::vector<Shown>& shown) {
  size_t width = 0;
  for (const Shown& s : shown) width += (width ? kGapWidth : 0) + s.width;
  return width;
}

std::vector<Shown> all_columns(const Table& table) {
  std::vector<Shown> shown;
  for (size_t c = 0; c < table.columns.size(); ++c) shown.push_back({c, natural_width(table, c)});
  return shown;
}

// The most important columns that fit at their least widths, in the order of the table. Columns of
// one key come together or not at all.
std::vector<Shown> important_columns(const Table& table, size_t width) {
  std::vector<size_t> order(table.columns.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin() + 1, order.end(), [&](size_t a, size_t b) {
    return table.columns[a].importance > table.columns[b].importance;
  });
  std::vector<Shown> shown;
  Lines seen;
  for (size_t c : order) {
    const Column& column = table.columns[c];
    if (std::ranges::find(seen, key_of(column)) != seen.end()) continue;
    seen.push_back(key_of(column));
    std::vector<Shown> with = shown;
    for (size_t k = 0; k < table.columns.size(); ++k) {
      if (key_of(table.columns[k]) == seen.back()) with.push_back({k, least_width(table, k)});
    }
    const bool fits = column.importance != kOnRequest && total_width(with) <= width;
    if (c == 0 || fits) shown = std::move(with);
  }
  std::ranges::sort(shown, {}, &Shown::column);
  return shown;
}

// Gives the room that is left to the headings, if it is enough for all of them, else to the texts.
void widen(const Table& table, size_t width, std::vector<Shown>& shown) {
  std::vector<Shown> natural = shown;
  for (Shown& s : natural) s.width = natural_width(table, s.column);
  if (total_width(natural) <= width) {
    shown = std::move(natural);
    return;
  }
  for (bool grown = true; grown;) {
    grown = false;
    for (size_t i = 0; i < shown.size(); ++i) {
      const bool can_grow =
          !table.columns[shown[i].column].number && shown[i].width < natural[i].width;
      if (!can_grow || total_width(shown) >= width) continue;
      ++shown[i].width;
      grown = true;
    }
  }
}

std::string padded(const std::string& text, size_t width, bool right) {
  const std::string blanks(width - std::min(width, width_of(text)), ' ');
  return right ? blanks + text : text + blanks;
}

// Fields of several lines side by side; those with fewer lines end or begin together.
std::string row_text(const Table& table, const std::vector<Shown>& shown,
                     const std::vector<Lines>& fields, bool at_bottom) {
  size_t height = 0;
  for (const Lines& lines : fields) height = std::max(height, lines.size());
  std::string out;
  for (size_t line = 0; line < height; ++line) {
    std::string text;
    for (size_t i = 0; i < shown.size(); ++i) {
      const size_t skipped = at_bottom ? height - fields[i].size() : 0;
      const bool there = line >= skipped && line - skipped < fields[i].size();
      text += (i ? kGap : "") + padded(there ? fields[i][line - skipped] : "", shown[i].width,
                                       table.columns[shown[i].column].number);
    }
    text.erase(text.find_last_not_of(' ') + 1);
    out += text + "\n";
  }
  return out;
}

// The keys of the columns that are left out, each once.
std::string left_out(const Table& table, const std::vector<Shown>& shown) {
  Lines keys;
  for (size_t c = 0; c < table.columns.size(); ++c) {
    const std::string& key = key_of(table.columns[c]);
    const bool is_shown = std::ranges::find(shown, c, &Shown::column) != shown.end();
    if (!is_shown && std::ranges::find(keys, key) == keys.end()) keys.push_back(key);
  }
  std::string text;
  for (const std::string& key : keys) text += (text.empty() ? "" : ", ") + key;
  return text;
}

}  // namespace

std::string aligned(const Table& table, std::optional<size_t> width, const std::string& more) {
  if (table.columns.empty()) return "";
  std::vector<Shown> shown = width ? important_columns(table, *width) : all_columns(table);
  if (width) widen(table, *width, shown);

  std::string out;
  std::vector<Lines> headings;
  bool any_heading = false, any_cut = false;
  for (const Shown& s : shown) {
    headings.push_back(wrapped(table.columns[s.column].name, s.width));
    any_heading |= !table.columns[s.column].name.empty();
  }
  if (any_heading) out += row_text(table, shown, headings, true);
  for (const auto& row : table.rows) {
    std::vector<Lines> fields;
    for (const Shown& s : shown) {
      const std::string& text = row[s.column];
      if (table.wraps) {
        fields.push_back(wrapped(text, s.width));
      } else {
        fields.push_back({cut(text, s.width)});
        any_cut |= fields.back().front() != text;
      }
    }
    out += row_text(table, shown, fields, false);
  }
  const std::string missing = left_out(table, shown);
  if (missing.empty() && !any_cut) return out;
  return out + "\n" +
         paragraph(
             (missing.empty() ? "Long texts are cut. " : "Not shown: " + missing + ". ") + more,
             width);
}

}  // namespace cpbench
