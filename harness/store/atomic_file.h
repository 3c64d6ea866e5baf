// Writes a file completely or not at all: under a temporary name in the same folder, then sync and
// rename.
#pragma once

#include <string>

namespace cpbench {

// Replaces an existing file. Throws UserError ("<path>: cannot be written: No space left on
// device"); then no part of the new file is left.
void write_atomically(const std::string& path, const std::string& bytes);

}  // namespace cpbench
