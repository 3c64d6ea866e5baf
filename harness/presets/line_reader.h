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
  // `kind` and `most_bytes` are those of open_input, which says what is refused.
  LineReader(const std::string& kind, const std::string& path, int64_t most_bytes);

  // False at the end. Throws UserError if reading fails, or if a line has more than 64 MiB.
  bool next(std::string& line);
  std::string place() const;                              // "lengths.csv:17"
  [[noreturn]] void fail(const std::string& what) const;  // UserError "lengths.csv:17: what"

 private:
  bool read_line(std::string& line);
  std::string path_;
  std::ifstream file_;
  int64_t number_ = 0;
};

}  // namespace cpbench
