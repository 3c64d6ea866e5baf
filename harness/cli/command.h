// One command of the command line, with its arguments and flags; parsing fills in their values.
// CLI11 takes long to compile, so only the files behind this header include it.
//
//   Command command(app, "show", "Shows results.\nExamples:\n  cpbench show results/runs/quick\n");
//   command.argument("path", flags->path, "a folder of results, or a result file", "PATH");
//   command.option("--baseline", flags->baseline, "strategy to which ratios refer", "STRATEGY");
//   command.action([flags] { show(*flags); });
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace cpbench {

class Command {
 public:
  using Text = const std::string&;

  // `description`: one line of summary, then the examples.
  Command(CLI::App& app, Text name, Text description);

  // Words behind the command, in the order in which they are added. `type` stands for the value in
  // the help, as in "--output DIR".
  void argument(Text name, std::string& value, Text help, Text type);
  void optional_argument(Text name, std::string& value, Text help, Text type);
  void arguments(Text name, std::vector<std::string>& values, Text help, Text type);  // one or more

  void option(Text name, std::string& value, Text help, Text type);
  void required_option(Text name, std::string& value, Text help, Text type);
  // May be repeated. `group` is a heading in the help; "" for the usual one.
  void options(Text name, std::vector<std::string>& values, Text help, Text type, Text group = "");
  void positive_option(Text name, double& value, Text help, Text type);
  void flag(Text name, bool& value, Text help);
  // A flag that may be followed by a value; if it is not, the value is empty.
  void flag_or_option(Text name, std::optional<std::string>& value, Text help, Text type);

  // Runs while the command line is parsed, after all values are known.
  void action(std::function<void()> run);

 private:
  CLI::App& command_;
};

std::vector<std::string> flag_names(const CLI::App& app, const std::string& command);  // "--format"
std::vector<std::string> command_names(const CLI::App& app);                           // "run"

}  // namespace cpbench
