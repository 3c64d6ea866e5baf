// Shell completion, made from the same tables as the commands.
#include <fmt/format.h>

#include "harness/cli/cli.h"
#include "harness/cli/commands.h"
#include "harness/cli/listing.h"
#include "harness/cli/run_table.h"
#include "harness/measure/metrics.h"
#include "harness/plan/errors.h"
#include "harness/plan/nearest.h"
#include "harness/run/choices.h"
#include "harness/strategy/strategy.h"

namespace cpbench {

namespace {

std::string joined(const std::vector<std::string>& words) {
  return fmt::format("{}", fmt::join(words, " "));
}

std::string row(const std::string& pattern, const std::string& words) {
  return fmt::format("    {}) words=\"{}\" ;;\n", pattern, words);
}

// The script is one function: the words that it offers depend on the word before, then on the
// command. A list of values is completed after its last comma.
std::string bash_script(const CLI::App& app) {
  std::string values, commands;
  for (const RunField& field : run_fields()) {
    const std::vector<std::string> known = known_names(field);
    if (!known.empty()) values += row("--" + std::string(field.name), joined(known));
  }
  std::string settings;
  for (const Strategy* strategy : strategies()) {
    for (const OptionSpec& option : all_options_of(*strategy)) {
      settings += (settings.empty() ? "" : " ") + strategy->name + "." + option.name + "=";
    }
  }
  values += row("--set", settings);
  values += row("--baseline", joined(known_names(*find_run_field("strategy"))));
  std::vector<std::string> metric_names;
  for (const Metric& metric : metrics()) metric_names.push_back(metric.name);
  values += row("--metric", joined(metric_names));
  values += row("--columns", joined(column_keys()));
  values += row("--format", joined(format_names()));
  values += row("list", joined(list_kind_names()));
  values += row("completion", "bash zsh");
  for (const std::string& name : command_names(app)) {
    std::string words = joined(flag_names(app, name));
    if (name == "run") {
      for (const SuiteSummary& suite : list_suites()) words += " " + suite.name;
    }
    if (name == "workload") words += " " + joined(known_names(*find_run_field("workload")));
    commands += row(name, words);
  }
  return "# Completion of cpbench; printed by `cpbench completion`.\n"
         "_cpbench() {\n"
         "  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} words=\n"
         "  case $previous in\n" +
         values + row("cpbench|*/cpbench", joined(command_names(app))) +
         "    --output) COMPREPLY=($(compgen -f -- \"$current\")); return ;;\n"
         "  esac\n"
         "  [ -n \"$words\" ] || case ${COMP_WORDS[1]} in\n" +
         commands +
         "  esac\n"
         "  local head=\n"
         "  case $current in *,*) head=${current%,*}, ;; esac\n"
         "  COMPREPLY=($(compgen -P \"$head\" -W \"$words\" -- \"${current##*,}\"))\n"
         "  [ ${#COMPREPLY[@]} -gt 0 ] || COMPREPLY=($(compgen -f -- \"$current\"))\n"
         "}\n"
         "complete -o nospace -F _cpbench cpbench\n";
}

}  // namespace

void add_completion_command(CLI::App& app, Context& context) {
  Command command(app, "completion",
                  "Prints a completion script for a shell.\n"
                  "Examples:\n"
                  "  source <(cpbench completion bash)\n"
                  "  source <(cpbench completion zsh)\n");
  auto shell = std::make_shared<std::string>();
  command.argument("shell", *shell, "bash or zsh", "SHELL");
  command.action([shell, &app, &context] {
    if (*shell != "bash" && *shell != "zsh") {
      throw UserError(unknown_name("shell", *shell, {"bash", "zsh"}));
    }
    const std::string bridge = "autoload -U +X bashcompinit && bashcompinit\n";
    print((*shell == "zsh" ? bridge : "") + bash_script(app));
    context.exit_code = kExitOk;
  });
}

}  // namespace cpbench
