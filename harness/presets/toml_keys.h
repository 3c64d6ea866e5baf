// toml++ bounds how deep arrays and inline tables nest, but neither a key such as `a.a.a...` nor a
// header such as `[a.a.a...]`. Each part is a table inside the one before, and freeing too many of
// them overflows the stack.
#pragma once

#include <cstddef>
#include <string>

namespace cpbench {

inline constexpr size_t kMostKeyParts = 16;

// Throws UserError "PLACE:LINE: a key has more than 16 parts, ...".
void require_short_keys(const std::string& place, const std::string& text);

}  // namespace cpbench
