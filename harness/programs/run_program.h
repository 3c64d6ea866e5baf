// Runs another program to its end: writes its standard input, reads its standard output and keeps
// the last words of its standard error.
//
//   const ProgramRun run = run_program("./planner.py", problem, {.name = "exec:./planner.py"});
//   if (run.exit_status == 0) use(run.output);
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "harness/plan/deadline.h"

namespace cpbench {

struct ProgramOptions {
  std::string name{};                    // opens every message
  std::vector<std::string> arguments{};  // after its name
  std::string hint{};                    // closes the message that the program cannot be started
  Deadline deadline{};
  size_t most_output_bytes = size_t{4} << 30;
  size_t most_memory_bytes = 0;  // of in_child, besides what the caller has; 0: any
};

struct ProgramRun {
  int exit_status = 0;
  std::string output;
  std::string last_words;  // the last line that it wrote to its standard error; "" if none
};

// `program` is a path, or a name that is looked up on PATH; it is run without a shell, in a process
// group of its own. When it has ended, the rest of the group is killed, so programs that it started
// and left behind end with it. Throws DidNotEnd if the deadline passes, and UserError, if the
// program cannot be started, is ended by a signal or writes too much, or if Ctrl-C interrupts the
// wait: one line, with the program's last words.
ProgramRun run_program(const std::string& program, const std::string& input,
                       const ProgramOptions& options);

// "NAME WHAT: LAST WORDS"
std::string program_message(const std::string& name, const std::string& what,
                            const std::string& last_words);

}  // namespace cpbench
