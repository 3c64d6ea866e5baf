#include "harness/cli/text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <locale.h>
#include <wchar.h>

#include <algorithm>

namespace cpbench {
namespace {

constexpr const char* kEllipsis = "…";

// Calls `use(bytes, columns)` for each character.
template <typename Use>
void for_each_character(const std::string& text, Use use) {
  static const locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  const locale_t before = utf8 ? uselocale(utf8) : nullptr;
  mbstate_t state{};
  for (size_t at = 0; at < text.size();) {
    wchar_t character = 0;
    const size_t read = mbrtowc(&character, text.data() + at, text.size() - at, &state);
    const bool valid = read > 0 && read <= text.size();
    if (!valid) state = {};
    const size_t bytes = valid ? read : 1;
    use(text.substr(at, bytes), valid ? std::max(0, wcwidth(character)) : 1);
    at += bytes;
  }
  if (before) uselocale(before);
}

// Its longest beginning that takes at most `width` columns.
std::string beginning_of(const std::string& text, size_t width) {
  std::string begin;
  size_t used = 0;
  for_each_character(text, [&](const std::string& bytes, size_t columns) {
    used += columns;
    if (used <= width) begin += bytes;
  });
  return begin;
}

void wrap_line(std::string text, size_t width, std::vector<std::string>& lines) {
  while (width_of(text) > width) {
    std::string line = beginning_of(text, width);
    // A character that is wider than the line cannot be broken.
    if (line.empty()) break;
    // The line ends at a blank, which may be the one behind it.
    const size_t blank = text[line.size()] == ' ' ? line.size() : line.rfind(' ');
    const size_t first = text.find_first_not_of(' ');
    if (blank != std::string::npos && blank > first) line.resize(blank);
    text.erase(0, line.size());
    text.erase(0, text.find_first_not_of(' '));
    line.erase(line.find_last_not_of(' ') + 1);
    lines.push_back(line);
  }
  lines.push_back(text);
}

}  // namespace

size_t width_of(const std::string& text) {
  size_t width = 0;
  for_each_character(text, [&](const std::string&, size_t columns) { width += columns; });
  return width;
}

std::string cut(const std::string& text, size_t width) {
  if (width_of(text) <= width) return text;
  return beginning_of(text, width - 1) + kEllipsis;
}

std::vector<std::string> wrapped(const std::string& text, size_t width) {
  std::vector<std::string> lines;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    wrap_line(text.substr(begin, end - begin), width, lines);
    begin = end + 1;
  }
  return lines;
}

std::string paragraph(const std::string& text, std::optional<size_t> width, size_t indent) {
  if (!width) return text + "\n";
  std::string out;
  const std::string margin(indent, ' ');
  const size_t inner = *width > indent ? *width - indent : 1;
  for (const std::string& line : wrapped(text, inner)) {
    out += (out.empty() ? "" : margin) + line + "\n";
  }
  return out;
}

std::string parts_once(const std::vector<std::string>& texts) {
  constexpr std::string_view kMissing = "no published run of ";
  std::vector<std::string> parts, missing;
  for (const std::string& text : texts) {
    for (size_t begin = 0; begin < text.size();) {
      const size_t end = std::min(text.find("; ", begin), text.size());
      const std::string part = text.substr(begin, end - begin);
      const bool is_missing = part.starts_with(kMissing);
      std::vector<std::string>& list = is_missing ? missing : parts;
      const std::string item = is_missing ? part.substr(kMissing.size()) : part;
      if (std::ranges::find(list, item) == list.end()) list.push_back(item);
      begin = end + 2;
    }
  }
  if (!missing.empty()) parts.push_back(fmt::format("{}{}", kMissing, fmt::join(missing, ", ")));
  return fmt::format("{}", fmt::join(parts, "; "));
}

}  // namespace cpbench
