#include "harness/presets/toml_keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "harness/plan/errors.h"

namespace cpbench {
namespace {

// The position after the string that begins at `start` with a quote. A string of one line also ends
// with the line: toml++ refuses it there.
size_t end_of_string(std::string_view text, size_t start) {
  const char quote = text[start];
  const bool escapes = quote == '"';
  const std::string three(3, quote);
  const bool many_lines = text.substr(start, 3) == three;
  for (size_t i = start + (many_lines ? 3 : 1); i < text.size(); ++i) {
    if (escapes && text[i] == '\\') {
      ++i;
    } else if (!many_lines && (text[i] == quote || text[i] == '\n')) {
      return text[i] == quote ? i + 1 : i;
    } else if (many_lines && text.substr(i, 3) == three) {
      // One or two quotes may precede the three that end the string.
      size_t end = i + 3;
      while (end < std::min(text.size(), i + 5) && text[end] == quote) ++end;
      return end;
    }
  }
  return text.size();
}

}  // namespace

void require_short_keys(const std::string& place, const std::string& text) {
  constexpr std::string_view kEndsKey = "=,[]{}\n";
  size_t parts = 1;
  for (size_t i = 0; i < text.size();) {
    const char c = text[i];
    if (c == '"' || c == '\'') {
      i = end_of_string(text, i);
      continue;
    }
    if (c == '#') {
      i = std::min(text.find('\n', i), text.size());
      continue;
    }
    if (c == '.') ++parts;
    if (kEndsKey.find(c) != std::string_view::npos) parts = 1;
    if (parts > kMostKeyParts) {
      throw UserError(fmt::format("{}:{}: a key has more than {} parts, joined by '.'", place,
                                  1 + std::count(text.begin(), text.begin() + i, '\n'),
                                  kMostKeyParts));
    }
    ++i;
  }
}

}  // namespace cpbench
