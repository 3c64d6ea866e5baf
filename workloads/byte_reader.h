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
  // `count` integers of `width` bytes. Throws UserError unless each is a valid length.
  std::vector<int64_t> lengths(uint64_t count, int width, bool is_signed);
  [[noreturn]] void fail(int64_t offset, const std::string& what) const;
  int64_t offset() const { return offset_; }

 private:
  std::string path_;
  std::ifstream file_;
  int64_t size_ = 0;
  int64_t offset_ = 0;
};

}  // namespace cpbench
