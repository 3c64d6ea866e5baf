#include <fmt/format.h>

#include <algorithm>

#include "harness/cli/cli.h"
#include "harness/cli/commands.h"
#include "harness/cli/human.h"
#include "harness/plan/check.h"
#include "harness/plan/errors.h"
#include "harness/store/plan_file.h"

namespace cpbench {

namespace {

// Prints one line for a correct plan, or one for each violation of a wrong one.
bool report_check(const std::string& name, const PlannedProblem& given, Passes passes) {
  const CheckReport report = check(given.problem, given.plan, passes);
  if (!report.ok()) {
    for (const Violation& violation : report.violations) {
      print(name + ": " + violation.text() + "\n");
    }
    return false;
  }
  const auto peak = std::max_element(report.peak_bytes.begin(), report.peak_bytes.end());
  print(fmt::format("{}: correct; {} ranks, {} tokens, peak memory {}, hash {:016x}\n", name,
                    given.plan.ranks, given.plan.tokens, short_bytes(static_cast<double>(*peak)),
                    hash_of(given.plan)));
  return true;
}

int check_file(const std::string& file, bool forward_only) {
  const std::vector<PlannedProblem> plans = load_plan_file(file);
  if (plans.empty()) throw UserError(file + ": has no plan");
  bool good = true;
  for (size_t i = 0; i < plans.size(); ++i) {
    const std::string name = plans.size() > 1 ? file + " pack " + std::to_string(i) : file;
    good &= report_check(name, plans[i], forward_only ? Passes::forward : Passes::both);
  }
  if (!good) fmt::print(stderr, "cpbench: {}: the plan is wrong\n", file);
  return good ? kExitOk : kExitFailure;
}

}  // namespace

void add_check_command(CLI::App& app, Context& context) {
  Command command(
      app, "check",
      "Checks a plan made elsewhere: exit code 0 if it is correct, else 1 and all violations.\n"
      "Examples:\n"
      "  cpbench check plan.json\n"
      "  cpbench check --forward plan.h5\n");
  auto file = std::make_shared<std::string>();
  auto forward = std::make_shared<bool>(false);
  command.argument("file", *file, "a plan with its problem (.json, .h5, .txt), or a result file",
                   "FILE");
  command.flag("--forward", *forward, "check the forward pass only");
  command.action([file, forward, &context] { context.exit_code = check_file(*file, *forward); });
}

}  // namespace cpbench
