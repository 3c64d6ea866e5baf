// Runs another program to its end: writes its standard input, reads its standard output and keeps
// the last words of its standard error.
//
//   const ProgramRun run = run_program("./planner.py", problem, {.name = "exec:./planner.py"});
//   if (run.exit_status == 0) use(run.output);
#pragma once

#include <string>

namespace cpbench {

inline constexpr double kNoTimeout = 1e9;  // 30 years

struct ProgramOptions {
  std::string name{};  // opens every message
  std::string hint{};  // closes the message that the program cannot be started
  double timeout_seconds = kNoTimeout;
};

struct ProgramRun {
  int exit_status = 0;
  std::string output;
  std::string last_words;  // the last line that it wrote to its standard error; "" if none
};

// `program` is a path, or a name that is looked up on PATH; it is run without a shell and without
// arguments, in a process group of its own, so that programs that it started end with it. Throws
// UserError, in one line with the program's last words, if the program cannot be started, is ended
// by a signal, exceeds the time-out or writes more than 4 GiB, or if Ctrl-C interrupts the wait.
ProgramRun run_program(const std::string& program, const std::string& input,
                       const ProgramOptions& options);

// "NAME WHAT: LAST WORDS"
std::string program_message(const std::string& name, const std::string& what,
                            const std::string& last_words);

}  // namespace cpbench
