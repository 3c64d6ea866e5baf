// Where a result comes from: code, build, libraries, machine, command, time. The keys are those of
// results/SCHEMA.md, "Provenance".
//
//   result.provenance = provenance(arguments, started, std::chrono::system_clock::now());
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

namespace cpbench {

// `command_line`: the program and its arguments.
std::map<std::string, std::string> provenance(const std::vector<std::string>& command_line,
                                              std::chrono::system_clock::time_point start,
                                              std::chrono::system_clock::time_point end);

// Whether times of this build mean anything: optimised, and without a sanitizer.
bool is_debug_build();

}  // namespace cpbench
