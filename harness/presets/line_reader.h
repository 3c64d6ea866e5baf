// Lines of a text file with their numbers, for readers that name the line of a fault. Blank lines
// are passed over; a byte-order mark and carriage returns, as spreadsheets write them, are dropped.
#pragma once

#include <cstdint>
#include <fstream>
#include <string>

namespace cpbench {

class LineReader {
 public:
  explicit LineReader(const std::string& path);  // UserError if it cannot be opened

  bool next(std::string& line);  // false at the end; UserError if reading fails
  std::string place() const;     // "lengths.csv:17"
  [[noreturn]] void fail(const std::string& what) const;  // UserError "lengths.csv:17: what"

 private:
  std::string path_;
  std::ifstream file_;
  int64_t number_ = 0;
};

}  // namespace cpbench
