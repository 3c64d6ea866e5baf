#include <filesystem>

#include "harness/cli/cli.h"
#include "harness/cli/commands.h"
#include "harness/cli/page.h"
#include "harness/cli/python.h"

namespace cpbench {

namespace {

namespace fs = std::filesystem;

[[noreturn]] void report_on(const std::string& path, const std::string& output,
                            const std::string& baseline) {
  const std::vector<StoredRun> runs = read_runs(path);
  const fs::path folder = fs::is_directory(path) ? fs::path(path) : fs::path(path).parent_path();
  const std::string here = folder.empty() ? "." : folder.string();
  become_python("report.py",
                page_json(here, output.empty() ? (fs::path(here) / "report.html").string() : output,
                          runs, baseline));
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
