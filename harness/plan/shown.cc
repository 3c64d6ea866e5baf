#include "harness/plan/shown.h"

#include <algorithm>

namespace cpbench {
namespace {

// In UTF-8 these bytes continue a character.
bool continues(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

}  // namespace

std::string shown(std::string_view value, size_t longest) {
  size_t end = std::min(value.size(), longest);
  while (end > 0 && end < value.size() && continues(value[end])) --end;
  std::string text(value.substr(0, end));
  for (char& byte : text) {
    const auto code = static_cast<unsigned char>(byte);
    if (code < 0x20 || code == 0x7f) byte = ' ';
  }
  return end < value.size() ? text + "..." : text;
}

}  // namespace cpbench
