// Writes a file whole or not at all: a temporary name in the same folder, sync, rename.
#pragma once

#include <string>

namespace cpbench {

// Replaces what stands there. Throws UserError ("<path>: cannot be written: No space left on
// device"); then nothing of it is left behind.
void write_atomically(const std::string& path, const std::string& bytes);

}  // namespace cpbench
