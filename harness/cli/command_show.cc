#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "harness/cli/cli.h"
#include "harness/cli/commands.h"
#include "harness/cli/report.h"
#include "harness/cli/result_files.h"
#include "harness/run/choices.h"
#include "harness/store/result_file.h"

namespace cpbench {

namespace {

std::string describe(const Result& result) {
  Table what{{{"what"}, {"value"}}, {}};
  for (const RunField& field : run_fields()) {
    const std::string value = field_text(field, result.spec);
    if (!value.empty()) what.rows.push_back({field.name, value});
  }
  what.rows.push_back({"options", options_text(result.spec.options)});
  what.rows.push_back({"run id", run_id(result.spec)});
  what.rows.push_back({"status", name_of(result.status)});
  if (!result.error.empty()) what.rows.push_back({"error", result.error});
  if (result.oversubscribed) what.rows.push_back({"oversubscribed", "more ranks than cores"});
  for (const char* key : {"git_sha", "git_dirty", "debug_build", "machine", "start_utc"}) {
    const auto found = result.provenance.find(key);
    if (found != result.provenance.end()) what.rows.push_back({key, found->second});
  }
  Table metrics{{{"metric"}, {"value", true}, {"unit"}, {"description"}}, {}};
  for (const MetricValue& metric : result.metrics) {
    metrics.rows.push_back(
        {metric.name, fmt::format("{}", metric.value), metric.unit, metric.description});
  }
  return render(what, Format::table) + "\n" +
         (metrics.rows.empty() ? "" : render(metrics, Format::table) + "\n") +
         "to repeat: " + command_of(result.spec) + "\n";
}

int show(const std::string& path, const std::string& baseline, const std::string& format_name) {
  const Format format = parse_format(format_name);
  const std::vector<std::string> files = result_files(path);
  const bool folder = std::filesystem::is_directory(path);
  if (!folder && format == Format::table) {
    print(describe(read_result(path)));
    return kExitOk;
  }
  std::vector<Outcome> outcomes;
  std::vector<RunSpec> specs;
  for (const std::string& file : files) {
    outcomes.push_back(outcome_of(read_result(file), file, false));
    specs.push_back(outcomes.back().spec);
  }
  // As a sweep orders them: the strategies of one problem stand together.
  std::stable_sort(outcomes.begin(), outcomes.end(), [](const Outcome& a, const Outcome& b) {
    const auto key = [](const Outcome& o) {
      return std::tuple(o.spec.ranks, o.spec.tokens, o.spec.workload, o.spec.strategy);
    };
    return key(a) < key(b);
  });
  print(report(outcomes, baseline_of(specs, baseline), format));
  return kExitOk;
}

}  // namespace

void add_show_command(CLI::App& app, Context& context) {
  CLI::App* command = app.add_subcommand(
      "show",
      "Shows a result file, with the command that repeats it; or a folder of them as a table.\n"
      "Examples:\n"
      "  cpbench show results/runs/quick\n"
      "  cpbench show results/runs/quick --baseline ring --format md\n"
      "  cpbench show results/runs/quick/NAME.h5 --format json\n");
  struct Flags {
    std::string path, baseline, format;
  };
  auto flags = std::make_shared<Flags>();
  command->add_option("path", flags->path, "a result file or a folder of them")->required();
  command->add_option("--baseline", flags->baseline, "strategy to which ratios refer")
      ->type_name("STRATEGY");
  add_format_flag(*command, flags->format);
  command->callback(
      [flags, &context] { context.exit_code = show(flags->path, flags->baseline, flags->format); });
}

}  // namespace cpbench
