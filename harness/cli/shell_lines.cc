#include "harness/cli/shell_lines.h"

#include <vector>

#include "harness/cli/text.h"

namespace cpbench {
namespace {

// Words of a command as shell_text() joins them, still quoted.
std::vector<std::string> words_of(const std::string& command) {
  std::vector<std::string> words = {""};
  bool quoted = false;
  for (size_t i = 0; i < command.size(); ++i) {
    const char c = command[i];
    if (c == '\'') quoted = !quoted;
    if (c == ' ' && !quoted) {
      words.emplace_back();
      continue;
    }
    words.back() += c;
    if (c == '\\' && !quoted) words.back() += command[++i];
  }
  return words;
}

}  // namespace

std::string shell_lines(const std::string& command, std::optional<size_t> width) {
  std::string text, line = " ";
  const std::vector<std::string> words = words_of(command);
  for (size_t i = 0; i < words.size(); ++i) {
    std::string word = words[i];
    // A flag and its value stay together.
    if (word.starts_with("--") && i + 1 < words.size()) word += " " + words[++i];
    if (width && width_of(line + " " + word + " \\") > *width && line != " ") {
      text += line + " \\\n";
      line = "   ";
    }
    line += " " + word;
  }
  return text + line + "\n";
}

}  // namespace cpbench
