// The provenance of a result: code, build, libraries, machine, command, time. results/SCHEMA.md,
// "Provenance", describes the keys.
//
//   result.provenance = provenance(arguments, started, std::chrono::system_clock::now());
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

namespace cpbench {

// `command_line` is the program and its arguments.
std::map<std::string, std::string> provenance(const std::vector<std::string>& command_line,
                                              std::chrono::system_clock::time_point start,
                                              std::chrono::system_clock::time_point end);

// Whether times of this build are not meaningful: it is not optimised, or has a sanitizer.
bool is_debug_build();

}  // namespace cpbench
