// Writes a file completely or not at all: under a temporary name in the same folder, then sync and
// rename. The temporary name has the host and the process that writes, so what a killed process
// left is known, and removed by a later one.
#pragma once

#include <string>

namespace cpbench {

// Replaces an existing file. Throws UserError ("<path>: cannot be written: No space left on
// device"); then no part of the new file is left.
void write_atomically(const std::string& path, const std::string& bytes);

// A pattern for mkstemp: "results/.ring.h5.node7.4711.tmp-XXXXXX". It is hidden and does not have
// the target's ending, so that no reader takes the file for a result.
std::string temporary_name(const std::string& path);

// Removes the temporary files of this host's processes that no longer exist; of no other.
void remove_abandoned(const std::string& folder);

}  // namespace cpbench
