// Suggestions for mistyped words: the known word that is closest to a given one.
#pragma once

#include <string>
#include <vector>

namespace cpbench {

// The known word with the smallest edit distance, if that is at most two, or at most a third of a
// long word; "" if there is none.
std::string nearest(const std::string& word, const std::vector<std::string>& known);

// "unknown strategy 'rign'; did you mean 'ring'?", or the list of known words if none is near.
std::string unknown_name(const std::string& kind, const std::string& word,
                         const std::vector<std::string>& known);

}  // namespace cpbench
