// Result files in the order of their names.
#pragma once

#include <string>
#include <vector>

namespace cpbench {

// `path` itself if it is a file, else all .h5 below it. Throws UserError if there is none.
std::vector<std::string> result_files(const std::string& path);

}  // namespace cpbench
