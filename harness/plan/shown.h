// How messages show a value of the user: on one line, and cut if it is long.
//
//   throw UserError("'" + shown(text) + "' is not a valid size");
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace cpbench {

// In bytes: of one value, and of a list of them or a sentence that quotes some.
inline constexpr size_t kLongestShown = 80, kLongestSentence = 400;

// The value itself, or its first `longest` bytes and "...". Control characters become blanks.
std::string shown(std::string_view value, size_t longest = kLongestShown);

}  // namespace cpbench
