#include "harness/programs/run_program.h"

#include <spawn.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "harness/programs/child_process.h"

extern char** environ;

namespace cpbench {
namespace {

pid_t spawn(const std::string& program, std::vector<std::string> words, const ChildStart& start) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_adddup2(&actions, start.in, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, start.out, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, start.error, STDERR_FILENO);
  posix_spawnattr_setsigmask(&attributes, &start.mask);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
  words.insert(words.begin(), program);
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  pid_t id = -1;
  const int failed =
      posix_spawnp(&id, program.c_str(), &actions, &attributes, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  errno = failed;
  return failed != 0 ? -1 : id;
}

}  // namespace

ProgramRun run_program(const std::string& program, const std::string& input,
                       const ProgramOptions& options) {
  ChildProcess child(
      options, [&](const ChildStart& start) { return spawn(program, options.arguments, start); });
  const int status = child.run(input);
  return {status, child.take_output(), child.last_words()};
}

std::string program_message(const std::string& name, const std::string& what,
                            const std::string& last_words) {
  return name + " " + what + (last_words.empty() ? "" : ": " + last_words);
}

}  // namespace cpbench
