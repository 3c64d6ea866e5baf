// Text of another program, so that it can be printed on a terminal.
#pragma once

#include <string>

namespace cpbench {

// Control characters, and bytes that are not UTF-8, become "\x1b"; all else stays.
std::string printable(const std::string& text);

}  // namespace cpbench
