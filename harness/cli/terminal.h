// The terminal that standard output is shown in.
#pragma once

#include <cstddef>
#include <optional>

namespace cpbench {

// Its number of columns: the environment variable COLUMNS, else the size that the terminal reports,
// else 80. Nothing if standard output is a file or a pipe.
std::optional<size_t> terminal_width();

}  // namespace cpbench
