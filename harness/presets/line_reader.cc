#include "harness/presets/line_reader.h"

#include <fmt/format.h>

#include <array>

#include "harness/plan/errors.h"
#include "harness/plan/input_file.h"

namespace cpbench {

static constexpr size_t kLongestLine = size_t{64} << 20;

LineReader::LineReader(const std::string& kind, const std::string& path, int64_t most_bytes)
    : path_(path), file_(open_input(kind, path, most_bytes)) {}

// As std::getline, in pieces: a line without an end must not fill the memory.
bool LineReader::read_line(std::string& line) {
  std::array<char, 1 << 14> piece;
  line.clear();
  for (;;) {
    file_.getline(piece.data(), piece.size());
    // A line break that ends the line is counted, but not stored.
    line.append(piece.data(), static_cast<size_t>(file_.gcount()) - (file_.good() ? 1 : 0));
    if (line.size() > kLongestLine) {
      ++number_;
      fail(fmt::format("the line has more than {} bytes", kLongestLine));
    }
    if (file_.good()) return true;
    if (file_.eof() || file_.bad()) return !line.empty();
    file_.clear();  // the piece is full
  }
}

bool LineReader::next(std::string& line) {
  while (read_line(line)) {
    ++number_;
    if (number_ == 1 && line.starts_with("\xEF\xBB\xBF")) line.erase(0, 3);
    while (!line.empty() && line.back() == '\r') line.pop_back();
    if (line.find_first_not_of(" \t") != std::string::npos) return true;
  }
  if (file_.bad()) fail("reading failed");
  return false;
}

std::string LineReader::place() const { return fmt::format("{}:{}", path_, number_); }

void LineReader::fail(const std::string& what) const { throw UserError(place() + ": " + what); }

}  // namespace cpbench
