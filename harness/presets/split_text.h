// Pieces of a text, and the number that a piece is.
#pragma once

#include <charconv>
#include <optional>
#include <string>
#include <vector>

namespace cpbench {

// "a,,b" at ',' is "a", "", "b"; an empty text is one empty piece.
inline std::vector<std::string> split_text(const std::string& text, char separator) {
  std::vector<std::string> pieces;
  for (size_t start = 0;;) {
    const size_t end = text.find(separator, start);
    pieces.push_back(text.substr(start, end - start));
    if (end == std::string::npos) return pieces;
    start = end + 1;
  }
}

// The number that the whole text is; nothing if it is not a number of that type.
template <typename Number>
std::optional<Number> number_of(const std::string& text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace cpbench
