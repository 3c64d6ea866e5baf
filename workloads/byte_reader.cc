#include "workloads/byte_reader.h"

#include <fmt/format.h>

#include "harness/plan/errors.h"
#include "workloads/streams.h"

namespace cpbench {
namespace {

// Independent of the byte order of this machine.
uint64_t little_endian(const char* bytes, int width) {
  uint64_t value = 0;
  for (int i = width; i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

}  // namespace

ByteReader::ByteReader(const std::string& path) : path_(path), file_(path, std::ios::binary) {
  file_.seekg(0, std::ios::end);
  size_ = file_.tellg();
  file_.seekg(0);
  if (!file_ || size_ < 0) throw UserError(fmt::format("cannot open '{}' for reading", path));
}

void ByteReader::fail(int64_t offset, const std::string& what) const {
  throw UserError(fmt::format("{}: byte {}: {}", path_, offset, what));
}

std::string ByteReader::bytes(int64_t count, const std::string& what) {
  // Checked before memory is allocated: a damaged header may have any count.
  if (count > size_ - offset_) {
    fail(offset_,
         fmt::format("{} has {} bytes, but the file ends after {}", what, count, size_ - offset_));
  }
  std::string data(count, '\0');
  if (!file_.read(data.data(), count)) fail(offset_, "reading failed");
  offset_ += count;
  return data;
}

uint64_t ByteReader::number(int width, const std::string& what) {
  return little_endian(bytes(width, what).data(), width);
}

std::vector<int64_t> ByteReader::lengths(uint64_t count, int width, bool is_signed) {
  int64_t start = offset_;
  uint64_t left = static_cast<uint64_t>(size_ - offset_) / width;
  if (count > left) {
    fail(start,
         fmt::format("the header announces {} lengths, but the file ends after {}", count, left));
  }
  std::string data = bytes(static_cast<int64_t>(count) * width, "lengths");
  int unused_bits = 64 - 8 * width;
  std::vector<int64_t> lengths(count);
  for (uint64_t i = 0; i < count; ++i) {
    uint64_t raw = little_endian(data.data() + i * width, width);
    int64_t value = static_cast<int64_t>(raw);
    if (is_signed) value = static_cast<int64_t>(raw << unused_bits) >> unused_bits;
    if (value < 1 || value > kLongestDocument) {
      std::string shown = is_signed ? fmt::format("{}", value) : fmt::format("{}", raw);
      fail(start + static_cast<int64_t>(i) * width,
           fmt::format("length {} of {} is {}; must be from 1 to {}", i + 1, count, shown,
                       kLongestDocument));
    }
    lengths[i] = value;
  }
  return lengths;
}

}  // namespace cpbench
