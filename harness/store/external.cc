#include "harness/store/external.h"

#include <fmt/format.h>

#include "harness/plan/errors.h"
#include "harness/programs/run_program.h"
#include "harness/store/plan_json.h"

namespace cpbench {
namespace {

constexpr int kUnsupportedStatus = 77;  // as of cpbench itself

}  // namespace

Plan external_plan(const std::string& program, const Problem& problem, double timeout_seconds) {
  if (program.empty()) throw UserError("exec: requires a program, as in exec:PROGRAM");
  const std::string name = "exec:" + program;
  const ProgramRun run = run_program(program, problem_json(problem) + "\n",
                                     {.name = name,
                                      .hint = "; give the path of an executable program",
                                      .timeout_seconds = timeout_seconds});
  const auto message = [&](const std::string& what) {
    return program_message(name, what, run.last_words);
  };
  if (run.exit_status == kUnsupportedStatus) {
    throw Unsupported(message("does not support this problem"));
  }
  if (run.exit_status != 0) {
    throw UserError(message(fmt::format("ended with exit status {}", run.exit_status)));
  }
  try {
    return plan_from_json(run.output);
  } catch (const UserError& error) {
    throw UserError(message(fmt::format("did not write a valid plan: {}", error.what())));
  }
}

}  // namespace cpbench
