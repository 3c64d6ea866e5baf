#include "harness/programs/printable.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

namespace cpbench {
namespace {

// The bytes of the character of UTF-8 at `begin`; 0 if there is none.
size_t character_bytes(const std::string& text, size_t begin) {
  const auto byte = [&](size_t i) { return i < text.size() ? static_cast<uint8_t>(text[i]) : 0; };
  const int first = byte(begin);
  if (first < 0x80) return 1;
  const size_t bytes = first < 0xc2   ? 0
                       : first < 0xe0 ? 2
                       : first < 0xf0 ? 3
                       : first < 0xf5 ? 4
                                      : 0;
  for (size_t i = 1; i < bytes; ++i) {
    if (byte(begin + i) >> 6 != 0b10) return 0;
  }
  return bytes;
}

// U+0000 to U+001F, U+007F, and U+0080 to U+009F, which some terminals obey too.
bool is_control(const std::string& text, size_t begin) {
  const auto first = static_cast<uint8_t>(text[begin]);
  if (first == 0xc2) return static_cast<uint8_t>(text[begin + 1]) < 0xa0;
  return first < 0x20 || first == 0x7f;
}

}  // namespace

std::string printable(const std::string& text) {
  std::string out;
  for (size_t i = 0; i < text.size();) {
    const size_t bytes = character_bytes(text, i);
    if (bytes > 0 && !is_control(text, i)) {
      out += text.substr(i, bytes);
    } else {
      for (size_t b = i; b < i + std::max<size_t>(bytes, 1); ++b) {
        out += fmt::format("\\x{:02x}", static_cast<uint8_t>(text[b]));
      }
    }
    i += std::max<size_t>(bytes, 1);
  }
  return out;
}

}  // namespace cpbench
