#include "workloads/byte_reader.h"

#include <fmt/format.h>

#include <algorithm>

#include "harness/plan/errors.h"
#include "harness/plan/input_file.h"
#include "workloads/read_lengths.h"
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

ByteReader::ByteReader(const std::string& path)
    : path_(path), file_(open_input(kLengthFile, path)) {
  file_.seekg(0, std::ios::end);
  size_ = std::max<int64_t>(0, file_.tellg());
  file_.seekg(0);
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

std::vector<int64_t> ByteReader::numbers(uint64_t count, int width, bool is_signed) {
  constexpr uint64_t kAtOnce = 1 << 16;
  const int unused_bits = 64 - 8 * width;
  std::vector<int64_t> numbers;
  numbers.reserve(count);
  while (numbers.size() < count) {
    const uint64_t piece = std::min(kAtOnce, count - numbers.size());
    const std::string data = bytes(static_cast<int64_t>(piece) * width, "numbers");
    for (uint64_t i = 0; i < piece; ++i) {
      const uint64_t raw = little_endian(data.data() + i * width, width);
      numbers.push_back(is_signed ? static_cast<int64_t>(raw << unused_bits) >> unused_bits
                                  : static_cast<int64_t>(raw));
    }
  }
  return numbers;
}

std::vector<int64_t> ByteReader::lengths(uint64_t count, int width, bool is_signed) {
  const int64_t start = offset_;
  const uint64_t left = static_cast<uint64_t>(size_ - offset_) / width;
  if (count > left) {
    fail(start,
         fmt::format("the header announces {} lengths, but the file ends after {}", count, left));
  }
  if (count > kMostDocuments) {
    fail(start, fmt::format("there are {} lengths; must be at most {}", count, kMostDocuments));
  }
  std::vector<int64_t> lengths = numbers(count, width, is_signed);
  for (uint64_t i = 0; i < count; ++i) {
    if (lengths[i] >= 0 && lengths[i] <= kLongestDocument) continue;
    const std::string shown = is_signed ? fmt::format("{}", lengths[i])
                                        : fmt::format("{}", static_cast<uint64_t>(lengths[i]));
    fail(start + static_cast<int64_t>(i) * width,
         fmt::format("length {} of {} is {}; must be from 0 to {}", i + 1, count, shown,
                     kLongestDocument));
  }
  return lengths;
}

void ByteReader::skip(int64_t count) {
  offset_ += count;
  file_.seekg(offset_);
}

}  // namespace cpbench
