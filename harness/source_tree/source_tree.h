// The folder that cpbench was built from: where the scripts are that draw figures, and what tests
// read.
#pragma once

#include <filesystem>

namespace cpbench {

std::filesystem::path source_tree();
std::filesystem::path build_tree();

}  // namespace cpbench
