// A table as aligned text that fits the width of a terminal.
#pragma once

#include <optional>
#include <string>

#include "harness/cli/table.h"

namespace cpbench {

// Without a width every column is as wide as its longest text. With one, headings may take several
// lines, columns are left out by importance, and texts are cut or wrapped; `more` follows if
// anything is missing. A first column that is wider than the terminal is shown whole.
std::string aligned(const Table& table, std::optional<size_t> width, const std::string& more);

}  // namespace cpbench
