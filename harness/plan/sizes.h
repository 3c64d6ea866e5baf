// Token and byte counts as people write them: "8K" is 8192, "1M" is 1048576 (binary).
#pragma once

#include <cstdint>
#include <string>

namespace cpbench {

int64_t parse_size(const std::string& text);  // UserError unless digits with an optional K or M
std::string size_text(int64_t value);         // "8K" where exact, else the digits

}  // namespace cpbench
