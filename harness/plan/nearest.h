// "Did you mean": the known word closest to a mistyped one.
#pragma once

#include <string>
#include <vector>

namespace cpbench {

// By edit distance, at most two, or a third of a long word; "" if none.
std::string nearest(const std::string& word, const std::vector<std::string>& known);

// "unknown strategy 'rign'; did you mean 'ring'?", or with all known words where none is near.
std::string unknown_name(const std::string& kind, const std::string& word,
                         const std::vector<std::string>& known);

}  // namespace cpbench
