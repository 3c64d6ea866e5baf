#include "harness/cli/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>

namespace cpbench {

std::optional<size_t> terminal_width() {
  constexpr size_t kUsualWidth = 80;
  if (!isatty(STDOUT_FILENO)) return std::nullopt;
  const char* columns = std::getenv("COLUMNS");
  if (const int given = columns ? std::atoi(columns) : 0; given > 0) return given;
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return kUsualWidth;
}

}  // namespace cpbench
