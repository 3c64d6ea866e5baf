// Where a program is that cpbench starts: next to cpbench itself, or in a folder of PATH.
#pragma once

#include <filesystem>
#include <string>

namespace cpbench {

std::filesystem::path own_folder();  // of the running program

// The path of `program` in own_folder() or else in the first folder of PATH that has it; "" if
// none has.
std::string find_program(const std::string& program);

}  // namespace cpbench
