#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "harness/cli/cli.h"
#include "harness/cli/commands.h"
#include "harness/cli/page.h"
#include "harness/cli/python.h"
#include "harness/plan/errors.h"

namespace cpbench {

namespace {

namespace fs = std::filesystem;

// Becomes the Python program, which reads `input`; returns only by throwing.
[[noreturn]] void become(std::vector<std::string> words, const std::string& input) {
  std::FILE* file = std::tmpfile();
  if (!file || std::fwrite(input.data(), 1, input.size(), file) != input.size() ||
      std::fflush(file) != 0 || lseek(fileno(file), 0, SEEK_SET) != 0 ||
      dup2(fileno(file), STDIN_FILENO) < 0) {
    throw UserError(std::string("cannot write a temporary file: ") + std::strerror(errno));
  }
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  execvp(arguments[0], arguments.data());
  throw UserError("the report requires Python, and '" + words[0] +
                  "' cannot be started: " + std::strerror(errno) + "; run scripts/setup");
}

[[noreturn]] void report_on(const std::string& path, const std::string& output,
                            const std::string& baseline) {
  const std::vector<StoredRun> runs = read_runs(path);
  const fs::path folder = fs::is_directory(path) ? fs::path(path) : fs::path(path).parent_path();
  const std::string here = folder.empty() ? "." : folder.string();
  become({python(), (source_tree() / "plots" / "report.py").string()},
         page_json(here, output.empty() ? (fs::path(here) / "report.html").string() : output, runs,
                   baseline));
}

}  // namespace

void add_report_command(CLI::App& app, Context&) {
  Command command(app, "report",
                  "Writes one HTML file from a folder of results: figures, tables, provenance.\n"
                  "Examples:\n"
                  "  cpbench report results/runs/quick\n"
                  "  cpbench report results/runs/quick --baseline ring --output quick.html\n");
  struct Flags {
    std::string path, output, baseline;
  };
  auto flags = std::make_shared<Flags>();
  command.argument("path", flags->path, "a folder of results, or a result file", "PATH");
  command.option("--output", flags->output, "HTML file to write [<folder>/report.html]",
                 "FILE.html");
  command.option("--baseline", flags->baseline, "strategy to which ratios refer", "STRATEGY");
  command.action([flags] { report_on(flags->path, flags->output, flags->baseline); });
}

}  // namespace cpbench
