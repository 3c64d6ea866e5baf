#include "harness/store/external.h"

#include <fmt/format.h>

#include <algorithm>

#include "harness/plan/errors.h"
#include "harness/programs/find_program.h"
#include "harness/programs/printable.h"
#include "harness/programs/run_program.h"
#include "harness/store/plan_json.h"

namespace cpbench {
namespace {

constexpr int kUnsupportedStatus = 77;  // as of cpbench itself

}  // namespace

size_t most_plan_bytes(const Problem& problem) {
  const auto ranks = static_cast<double>(problem.ranks());
  const double bytes = 0x1p26 + 0x1p10 * (static_cast<double>(problem.tokens()) + ranks * ranks);
  return static_cast<size_t>(std::min(bytes, 0x1p32));
}

std::string planner_file(const std::string& program) {
  const std::string found = program.find('/') == std::string::npos ? find_program(program) : "";
  return found.empty() ? program : found;
}

Plan external_plan(const std::string& program, const std::map<std::string, std::string>& options,
                   const Problem& problem, const Deadline& deadline) {
  if (program.empty()) throw UserError("exec: requires a program, as in exec:PROGRAM");
  const std::string name = "exec:" + program;
  std::vector<std::string> arguments;
  for (const auto& [option, value] : options) arguments.push_back("--" + option + "=" + value);
  const ProgramRun run = run_program(planner_file(program), problem_json(problem) + "\n",
                                     {.name = name,
                                      .arguments = arguments,
                                      .hint = "; give the path of an executable program",
                                      .deadline = deadline,
                                      .most_output_bytes = most_plan_bytes(problem)});
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
    throw UserError(message("did not write a valid plan: " + printable(error.what())));
  }
}

}  // namespace cpbench
