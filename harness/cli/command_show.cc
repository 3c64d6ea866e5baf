#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "harness/cli/cli.h"
#include "harness/cli/commands.h"
#include "harness/cli/human.h"
#include "harness/cli/properties.h"
#include "harness/cli/report.h"
#include "harness/cli/result_files.h"
#include "harness/cli/shell_lines.h"
#include "harness/cli/text.h"
#include "harness/cli/winners.h"
#include "harness/measure/samples.h"
#include "harness/spec/run_fields.h"
#include "harness/store/result_file.h"

namespace cpbench {

namespace {

// The time of an iteration as it is, and where only a portion of it takes time: of the slowest
// rank, over the measured iterations.
Table times_table(const Result& result) {
  Table table{
      {{"iteration"}, {"samples", true}, {"fastest", true}, {"median", true}, {"slowest", true}},
      {}};
  for (size_t i = 0; i < result.packs.size(); ++i) {
    const Timeline& timeline = result.packs[i].timeline;
    const std::string pack = result.packs.size() > 1 ? fmt::format(", pack {}", i) : "";
    const auto add = [&](const char* name, const std::vector<double>& seconds) {
      if (seconds.empty()) return;
      const std::vector<double> slowest = slowest_rank(seconds, timeline.ranks);
      const auto [low, high] = std::ranges::minmax(slowest);
      table.rows.push_back({name + pack, std::to_string(slowest.size()), short_seconds(low),
                            short_seconds(median(slowest)), short_seconds(high)});
    };
    add("whole", timeline.seconds);
    add("compute only", timeline.portions.work_seconds);
    add("exchange only", timeline.portions.exchange_seconds);
  }
  return table;
}

std::string describe(const Result& result, const View& view) {
  Table what{{{""}, {""}}, {}, true};
  for (const RunField& field : run_fields()) {
    const std::string value = field_text(field, result.spec);
    if (!value.empty()) what.rows.push_back({field.name, value});
  }
  if (!result.spec.options.empty()) {
    what.rows.push_back({"options", options_text(result.spec.options)});
  }
  what.rows.push_back({"run id", run_id(result.spec)});
  what.rows.push_back({"status", name_of(result.status)});
  if (!result.error.empty()) what.rows.push_back({"error", result.error});
  if (result.oversubscribed) what.rows.push_back({"oversubscribed", "more ranks than cores"});
  for (const char* key : {"git_sha", "git_dirty", "debug_build", "machine", "start_utc"}) {
    const auto found = result.provenance.find(key);
    if (found != result.provenance.end()) what.rows.push_back({key, found->second});
  }
  Table metrics{{{"metric"}, {"value", true}, {"description"}}, {}};
  for (const MetricValue& metric : result.metrics) {
    metrics.rows.push_back({metric.name, with_unit(metric.value, metric.unit), metric.description});
  }
  std::string text = render(what, Format::table, {.width = view.width}) + "\n";
  if (!metrics.rows.empty()) {
    text += render(metrics, Format::table,
                   {.width = view.width,
                    .more = "cpbench list metrics NAME shows one whole, --wide shows all."}) +
            "\n";
  }
  const std::vector<ReportedValue> properties = outcome_of(result, "", false).properties;
  if (!properties.empty()) {
    text += render(properties_table(result.spec.strategy, properties), Format::table,
                   {.width = view.width}) +
            "\n";
  }
  const Table times = times_table(result);
  if (!times.rows.empty()) {
    text += render(times, Format::table, {.width = view.width}) + "\n";
  }
  return text + "to repeat:\n" + shell_lines(command_of(result.spec), view.width);
}

// The fastest strategy of each problem.
std::string winners(const std::vector<Outcome>& outcomes, Format format, const View& view) {
  Table table = winners_table(outcomes, format);
  if (table.rows.empty()) return "no run has a time\n";
  if (format == Format::csv || format == Format::json) return render(table, format);
  const std::string same = fold_constant_columns(table, 1);
  return (same.empty() ? "" : prose(same, format, view.width) + "\n") + render(table, format, view);
}

int show(const std::string& path, const std::string& baseline, const std::string& format_name,
         bool of_winners, const ViewFlags& flags) {
  const Format format = parse_format(format_name);
  if (of_winners) {
    print(winners(outcomes_of(read_runs(path)), format, flags.view(format)));
    return kExitOk;
  }
  const View view = flags.view_of_runs(format);
  std::error_code error;
  if (std::filesystem::is_regular_file(path, error) && format == Format::table &&
      view.columns.empty()) {
    print(describe(read_result(path), view));
    return kExitOk;
  }
  const std::vector<StoredRun> runs = read_runs(path);
  const std::vector<Outcome> outcomes = outcomes_of(runs);
  print(report(outcomes, baseline_of(specs_of(outcomes), baseline), format, view));
  const std::string missing = missing_runs(path, runs);
  if (!missing.empty())
    fmt::print(stderr, "{}", prose("cpbench: " + missing, Format::table, view.width));
  return kExitOk;
}

}  // namespace

void add_show_command(CLI::App& app, Context& context) {
  Command command(
      app, "show",
      "Shows a folder of results as a table, or one result with the command that repeats it.\n"
      "Examples:\n"
      "  cpbench show results/runs/quick\n"
      "  cpbench show results/runs/quick --baseline ring --format md\n"
      "  cpbench show results/runs/atlas --winners\n"
      "  cpbench show results/runs/quick --columns strategy,time,property.groups\n"
      "  cpbench show results/runs/quick/NAME.h5 --format json\n"
      "property.NAME is a number that strategies themselves report about their plans, such as "
      "their "
      "groups or the time that they expect; with several packs, the mean.\n");
  struct Flags {
    std::string path, baseline, format;
    bool winners = false;
  };
  auto flags = std::make_shared<Flags>();
  command.argument("path", flags->path, "a folder of results, or a result file", "PATH");
  command.option("--baseline", flags->baseline, "strategy to which ratios refer", "STRATEGY");
  add_format_flag(command, flags->format);
  auto view = std::make_shared<ViewFlags>(command);
  command.flag("--winners", flags->winners,
               "show only the fastest strategy of each problem, and which are tied with it");
  command.action([flags, view, &context] {
    context.exit_code = show(flags->path, flags->baseline, flags->format, flags->winners, *view);
  });
}

}  // namespace cpbench
