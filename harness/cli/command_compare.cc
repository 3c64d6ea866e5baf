#include <fmt/format.h>

#include "harness/cli/cli.h"
#include "harness/cli/commands.h"
#include "harness/cli/compare.h"
#include "harness/measure/metrics.h"
#include "harness/plan/errors.h"
#include "harness/run/choices.h"

namespace cpbench {

namespace {

struct CompareFlags {
  std::string a, b, format;
  std::vector<std::string> metrics;
};

int compare_paths(const CompareFlags& flags, const ViewFlags& view_flags) {
  const Format format = parse_format(flags.format);
  const View view = view_flags.view_of_runs(format);
  std::vector<std::string> names;
  for (const std::string& words : flags.metrics) {
    for (const std::string& name : split_values(words)) {
      try {
        names.push_back(find_metric(name).name);
      } catch (const UserError& error) {
        throw UserError(std::string("--metric: ") + error.what());
      }
    }
  }
  const Comparison comparison = compare(read_side(flags.a), read_side(flags.b));
  print(comparison_text(comparison, names, format, view));
  for (const std::string& line : cautions(comparison)) {
    fmt::print(stderr, "cpbench: note: {}\n", line);
  }
  return kExitOk;
}

}  // namespace

void add_compare_command(CLI::App& app, Context& context) {
  Command command(
      app, "compare",
      "Compares two folders of results, or two files, run by run: A, B and the ratio B/A.\n"
      "Examples:\n"
      "  cpbench compare results/runs/before results/runs/after\n"
      "  cpbench compare results/runs/quick results/runs/other --metric wire_bytes,mfu\n"
      "  cpbench compare results/runs/simulated results/runs/quick --format md\n");
  auto flags = std::make_shared<CompareFlags>();
  command.argument("a", flags->a, "folder of results, or a result file, to which ratios refer",
                   "PATH");
  command.argument("b", flags->b, "folder or file to compare with it", "PATH");
  command.options(
      "--metric", flags->metrics,
      "metrics to compare, see cpbench list metrics [time, bytes, imbalance, memory, MFU]",
      "NAME[,...]");
  add_format_flag(command, flags->format);
  auto view = std::make_shared<ViewFlags>(command);
  command.action([flags, view, &context] { context.exit_code = compare_paths(*flags, *view); });
}

}  // namespace cpbench
