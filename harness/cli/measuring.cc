#include "harness/cli/measuring.h"

#include <fmt/format.h>

#include "harness/run/outcome.h"
#include "harness/spec/run_fields.h"

namespace cpbench {
namespace {

RunSpec on_gpus(RunSpec spec) {
  spec.backend = "nccl";
  spec.kernel = kAutomatic;
  spec.cluster = spec.network = spec.profile = spec.inputs = "";
  spec.warmup = 2;
  spec.iterations = 10;
  return spec;
}

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

}  // namespace

std::string measuring_command(const RunSpec& spec) {
  const std::string command = command_of(on_gpus(spec));
  if (spec.nodes == 1) return command;
  return fmt::format("srun --nodes {} --ntasks-per-node {} {}", spec.nodes, spec.ranks / spec.nodes,
                     command);
}

std::string measuring_suite(const std::vector<RunSpec>& specs) {
  std::vector<std::string> strategies;
  for (const RunSpec& spec : specs) strategies.push_back(quoted(strategy_text(spec)));
  const RunSpec common = on_gpus(specs.front());
  std::string text = fmt::format(
      "# cpbench recommend wrote this: the strategies that simulations rank first, to be "
      "measured.\n"
      "description = \"the best of {} simulated strategies, on GPUs\"\nstrategy = [{}]\n",
      specs.size(), fmt::join(strategies, ", "));
  for (const RunField& field : run_fields()) {
    const std::string value = field_text(field, common);
    if (field.name == std::string("strategy") || value.empty()) continue;
    text += fmt::format("{} = {}\n", field.name, quoted(value));
  }
  return text;
}

}  // namespace cpbench
