#include "harness/cli/python.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <vector>

#include "harness/plan/errors.h"
#include "harness/source_tree/source_tree.h"

namespace cpbench {

std::string python() {
  const std::filesystem::path own = source_tree() / ".venv" / "bin" / "python3";
  return std::filesystem::exists(own) ? own.string() : "python3";
}

void become_python(const std::string& program, const std::string& input) {
  std::FILE* file = std::tmpfile();
  if (!file || std::fwrite(input.data(), 1, input.size(), file) != input.size() ||
      std::fflush(file) != 0 || lseek(fileno(file), 0, SEEK_SET) != 0 ||
      dup2(fileno(file), STDIN_FILENO) < 0) {
    throw UserError(std::string("cannot write a temporary file: ") + std::strerror(errno));
  }
  std::vector<std::string> words = {python(), (source_tree() / "plots" / program).string()};
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  execvp(arguments[0], arguments.data());
  throw UserError("the report requires Python, and '" + words[0] +
                  "' cannot be started: " + std::strerror(errno) + "; run scripts/setup");
}

}  // namespace cpbench
