// Token and byte counts as people write them: "8K" is 8192 and "1M" is 1048576 (binary units).
#pragma once

#include <cstdint>
#include <string>

namespace cpbench {

// Throws UserError unless the text is digits with an optional K or M.
int64_t parse_size(const std::string& text);
std::string size_text(int64_t value);  // "8K" if that is exact, otherwise the digits

}  // namespace cpbench
