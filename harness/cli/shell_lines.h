// A command on lines that fit the terminal and can be pasted into a shell.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

namespace cpbench {

// `command` as shell_text() wrote it. A flag and its value stay together; without a width it is one
// line.
std::string shell_lines(const std::string& command, std::optional<size_t> width);

}  // namespace cpbench
