#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "harness/cli/cli.h"
#include "harness/cli/commands.h"
#include "harness/cli/python.h"
#include "harness/cli/result_files.h"
#include "harness/plan/errors.h"

namespace cpbench {

namespace {

// Becomes the Python program; returns only by throwing.
[[noreturn]] void become(std::vector<std::string> words) {
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  execvp(arguments[0], arguments.data());
  throw UserError("the report needs Python, and '" + words[0] +
                  "' cannot be started: " + std::strerror(errno) + "; run scripts/setup");
}

[[noreturn]] void report_on(const std::string& path, const std::string& output,
                            const std::string& baseline) {
  result_files(path);  // throws in one line if there is nothing to report on
  std::vector<std::string> words = {python(), (source_tree() / "plots" / "report.py").string(),
                                    path};
  if (!output.empty()) words.insert(words.end(), {"--output", output});
  if (!baseline.empty()) words.insert(words.end(), {"--baseline", baseline});
  become(std::move(words));
}

}  // namespace

void add_report_command(CLI::App& app, Context&) {
  CLI::App* command = app.add_subcommand(
      "report",
      "Writes one HTML file from a folder of results: figures, tables, provenance.\n"
      "Examples:\n"
      "  cpbench report results/runs/quick\n"
      "  cpbench report results/runs/quick --baseline ring --output quick.html\n");
  struct Flags {
    std::string path, output, baseline;
  };
  auto flags = std::make_shared<Flags>();
  command->add_option("path", flags->path, "a folder of results, or a result file")->required();
  command->add_option("--output", flags->output, "the HTML file [<folder>/report.html]")
      ->type_name("FILE.html");
  command->add_option("--baseline", flags->baseline, "strategy that ratios refer to")
      ->type_name("STRATEGY");
  command->callback([flags] { report_on(flags->path, flags->output, flags->baseline); });
}

}  // namespace cpbench
