// Reads a text file line by line and knows the number of each line, for readers whose messages name
// the line. It skips blank lines, and drops the byte-order mark and the carriage returns that
// spreadsheets write.
#pragma once

#include <cstdint>
#include <fstream>
#include <string>

namespace cpbench {

class LineReader {
 public:
  explicit LineReader(const std::string& path);  // UserError if the file cannot be opened

  bool next(std::string& line);  // false at the end; UserError if reading fails
  std::string place() const;     // "lengths.csv:17"
  [[noreturn]] void fail(const std::string& what) const;  // UserError "lengths.csv:17: what"

 private:
  std::string path_;
  std::ifstream file_;
  int64_t number_ = 0;
};

}  // namespace cpbench
