// The terminal that standard output is shown in.
#pragma once

#include <cstddef>
#include <optional>

namespace cpbench {

// Its columns: those of the environment variable COLUMNS, else what the terminal says, else 80.
// Nothing if standard output is a file or a pipe.
std::optional<size_t> terminal_width();

}  // namespace cpbench
