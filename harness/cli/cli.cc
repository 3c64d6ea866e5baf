#include "harness/cli/cli.h"

#include <fmt/format.h>

#include <cctype>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

#include "harness/cli/commands.h"
#include "harness/cli/help.h"
#include "harness/execute/processes/launch_environment.h"
#include "harness/plan/errors.h"
#include "harness/plan/nearest.h"
#include "harness/run/exit_codes.h"

namespace cpbench {

namespace {

// The arguments, with "--tokens -5" written as "--tokens=-5": a negative number is a bad value, not
// an unknown flag.
std::vector<std::string> arguments(int argc, char** argv) {
  std::vector<std::string> words;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const bool negative =
        word.size() > 1 && word[0] == '-' && std::isdigit(static_cast<unsigned char>(word[1]));
    if (negative && !words.empty() && words.back().rfind("--", 0) == 0) {
      words.back() += "=" + word;
    } else {
      words.push_back(word);
    }
  }
  return words;
}

std::string unexpected(const CLI::App& app) {
  const std::vector<std::string> rest = app.remaining(true);
  const std::string word = rest.empty() ? "" : rest.front().substr(0, rest.front().find('='));
  if (word.rfind('-', 0) != 0) return "unexpected argument '" + word + "'";
  const auto chosen = app.get_subcommands();
  const std::string command = chosen.empty() ? "" : chosen.front()->get_name();
  const std::string close = nearest(word, flag_names(app, command));
  return "unknown flag '" + word + "'; " +
         (close.empty() ? "see cpbench " + command + " --help" : "did you mean '" + close + "'?");
}

// When several processes were started, all of them find the same error. The first one that ends
// makes the launcher end the others, so they wait for rank 0 to print it, and print it themselves
// only if rank 0 did not end, which means that it has no such error.
void let_rank_0_print() {
  constexpr std::chrono::seconds kLongerThanItTakes{5};
  if (launched_rank().value_or(0) > 0) std::this_thread::sleep_for(kLongerThanItTakes);
}

int usage_error(const std::string& message) {
  let_rank_0_print();
  fmt::print(stderr, "cpbench: error: {}\n", message);
  return kExitUsage;
}

int parse(CLI::App& app, Context& context, std::vector<std::string> words) {
  const std::vector<std::string> names = command_names(app);
  if (words.empty())
    return usage_error("no command is given; it must be one of: " +
                       fmt::format("{}", fmt::join(names, ", ")));
  if (words.front()[0] != '-' &&
      std::find(names.begin(), names.end(), words.front()) == names.end()) {
    return usage_error(unknown_name("command", words.front(), names));
  }
  try {
    std::reverse(words.begin(), words.end());  // the order in which CLI11 takes them
    app.parse(std::move(words));
  } catch (const CLI::CallForHelp&) {
    const auto chosen = app.get_subcommands();
    print(chosen.empty() ? app.help() : chosen.front()->help(app.get_name()));
    return kExitOk;
  } catch (const CLI::CallForVersion& version) {
    print(std::string(version.what()) + "\n");
    return kExitOk;
  } catch (const CLI::ExtrasError&) {
    return usage_error(unexpected(app));
  } catch (const CLI::ParseError& error) {
    std::string line = error.what();
    std::replace(line.begin(), line.end(), '\n', ' ');
    return usage_error(line);
  }
  return context.exit_code;
}

}  // namespace

void print(const std::string& text) {
  const bool good =
      std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
  if (!good)
    throw UserError(std::string("cannot write to standard output: ") + std::strerror(errno));
}

int command_line_main(int argc, char** argv) {
  Context context;
  context.command_line.assign(argv, argv + argc);

  CLI::App app(
      "Compares context-parallel attention strategies on packed sequences.\n"
      "Examples:\n"
      "  cpbench run quick\n"
      "  cpbench run --strategy ring,allgather --workload pile --tokens 8K --ranks 4\n"
      "  cpbench recommend --workload pile --tokens 128K --ranks 8\n"
      "  cpbench list strategies\n",
      "cpbench");
  app.formatter(std::make_shared<Help>());
  app.require_subcommand(0, 1);  // what follows is an argument, even if a command has its name
  app.set_help_flag("-h,--help", "print this help and exit");
  app.set_version_flag("--version", "cpbench " CPBENCH_VERSION, "print the version and exit");
  try {
    add_run_command(app, context);
    add_recommend_command(app, context);
    add_plan_command(app, context);
    add_check_command(app, context);
    add_show_command(app, context);
    add_compare_command(app, context);
    add_trace_command(app, context);
    add_history_command(app, context);
    add_export_command(app, context);
    add_report_command(app, context);
    add_reproduce_command(app, context);
    add_list_command(app, context);
    add_workload_command(app, context);
    add_calibrate_command(app, context);
    add_doctor_command(app, context);
    add_completion_command(app, context);
    return parse(app, context, arguments(argc, argv));
  } catch (const UserError& error) {
    return usage_error(error.what());
  } catch (const std::exception& error) {
    fmt::print(stderr, "cpbench: internal error: {}\n", error.what());
    return kExitFailure;
  }
}

}  // namespace cpbench
