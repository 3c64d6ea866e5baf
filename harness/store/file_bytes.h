// The whole content of a file.
#pragma once

#include <string>

namespace cpbench {

// Throws UserError that begins with the path: for anything but a regular file, for one that cannot
// be read, and for one of more than 4 GiB, which no file of cpbench reaches.
std::string file_bytes(const std::string& path);

}  // namespace cpbench
