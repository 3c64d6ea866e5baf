// The Python that draws: the one of the project's own environment, else the one on PATH, as in
// scripts/plot.
#pragma once

#include <string>

namespace cpbench {

std::string python();

// This process becomes plots/<program>, which reads `input` from standard input; it returns only by
// throwing.
[[noreturn]] void become_python(const std::string& program, const std::string& input);

}  // namespace cpbench
