#include "harness/store/checksum.h"

#include <fmt/format.h>
#include <zlib.h>

namespace cpbench {
namespace {

constexpr std::string_view kLabel = "\ncpbench crc32 ";
constexpr size_t kLineBytes = kLabel.size() + 8 + 1;  // hexadecimal digits and a newline

std::string line_of(std::string_view bytes) {
  const uLong sum = crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
  return fmt::format("{}{:08x}\n", kLabel, sum);
}

}  // namespace

std::string with_checksum(std::string bytes) { return bytes.append(line_of(bytes)); }

Checksum checksum_of(std::string_view bytes) {
  if (bytes.size() < kLineBytes) return Checksum::none;
  const std::string_view line = bytes.substr(bytes.size() - kLineBytes);
  if (!line.starts_with(kLabel)) return Checksum::none;
  bytes.remove_suffix(kLineBytes);
  return line == line_of(bytes) ? Checksum::right : Checksum::wrong;
}

}  // namespace cpbench
