#include "harness/presets/line_reader.h"

#include <fmt/format.h>

#include "harness/plan/errors.h"

namespace cpbench {

LineReader::LineReader(const std::string& path) : path_(path), file_(path) {
  if (!file_) throw UserError(fmt::format("cannot open '{}' for reading", path));
}

bool LineReader::next(std::string& line) {
  while (std::getline(file_, line)) {
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
