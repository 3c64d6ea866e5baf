// Reads a little-endian binary file in order, for readers whose messages name the byte.
#pragma once

#include <cstdint>
#include <fstream>
#include <string>
#include <vector>

namespace cpbench {

class ByteReader {
 public:
  explicit ByteReader(const std::string& path);  // UserError if the file cannot be opened

  // `what` names the bytes in the UserError that is thrown if the file ends before them.
  std::string bytes(int64_t count, const std::string& what);
  uint64_t number(int width, const std::string& what);  // unsigned, of `width` <= 8 bytes
  // `count` integers of `width` bytes. An unsigned one of 2^63 or more is negative.
  std::vector<int64_t> numbers(uint64_t count, int width, bool is_signed);
  // The same. Throws UserError unless each is a valid length, which may be 0.
  std::vector<int64_t> lengths(uint64_t count, int width, bool is_signed);
  void skip(int64_t count);  // at most `left`
  [[noreturn]] void fail(int64_t offset, const std::string& what) const;
  int64_t offset() const { return offset_; }
  int64_t left() const { return size_ - offset_; }

 private:
  std::string path_;
  std::ifstream file_;
  int64_t size_ = 0;
  int64_t offset_ = 0;
};

}  // namespace cpbench
