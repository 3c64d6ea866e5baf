// Quotes words so that the line can be pasted into a shell.
#pragma once

#include <string>
#include <vector>

namespace cpbench {

std::string shell_quoted(const std::string& word);
std::string shell_text(const std::vector<std::string>& words);

}  // namespace cpbench
