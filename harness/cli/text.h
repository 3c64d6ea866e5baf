// Text (UTF-8) that must fit into so many columns of a terminal.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace cpbench {

// Columns that the text takes: none for a combining accent, two for a Chinese character.
size_t width_of(const std::string& text);

// The text, or its beginning and "…" where it is longer than `width`, which is at least 1.
std::string cut(const std::string& text, size_t width);

// Lines of at most `width`, broken at blanks and, in a word that is longer, anywhere. Newlines in
// the text stay. At least one line.
std::vector<std::string> wrapped(const std::string& text, size_t width);

// The text wrapped to `width` with a newline behind each line; lines after the first are indented
// by `indent` blanks. Without a width only the newline is added.
std::string paragraph(const std::string& text, std::optional<size_t> width, size_t indent = 0);

// The parts of all texts, which "; " separates, each once and joined in the same way; last, in one
// part, what there is no published run of.
std::string parts_once(const std::vector<std::string>& texts);

}  // namespace cpbench
