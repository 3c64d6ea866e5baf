// Times of the same runs from commit to commit: did a change make something slower?
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "harness/cli/cli.h"
#include "harness/cli/commands.h"
#include "harness/cli/human.h"
#include "harness/cli/json_number.h"
#include "harness/cli/python.h"
#include "harness/cli/result_files.h"
#include "harness/cli/run_table.h"
#include "harness/measure/change_points.h"
#include "harness/plan/errors.h"
#include "harness/plan/text_hash.h"
#include "harness/store/history_file.h"

namespace cpbench {
namespace {

using nlohmann::ordered_json;

struct Flags {
  std::string action, folder, file = "results/history.h5", page, format;
  bool any_host = false;
};

int64_t digits_of(const std::string& utc) {  // 20261130154500 of "2026-11-30T15:45:00Z"
  int64_t digits = 0;
  for (const char c : utc) {
    if (c >= '0' && c <= '9') digits = 10 * digits + (c - '0');
  }
  return digits;
}

std::string day_of(int64_t digits) {
  const int64_t day = digits / 1'000'000;
  return fmt::format("{:04}-{:02}-{:02}", day / 10'000, day / 100 % 100, day % 100);
}

// Times are compared within one machine.
std::string machine_of(const StoredRun& run, bool any_host) {
  if (!any_host) return provenance_of(run, "machine");
  return hex16(hash_of_text(provenance_of(run, "cpu_model") + "\n" + provenance_of(run, "cores")));
}

HistoryPoint point_of(const StoredRun& run, const std::string& words, bool any_host) {
  const Outcome& outcome = run.outcome;
  const double seconds = *outcome.metric("iteration_seconds");
  const auto end_of_interval = [&](const char* name) {
    const double* value = outcome.metric(name);
    return value ? *value : seconds;
  };
  return {.run_id = run_id(outcome.spec),
          .words = words,
          .machine = machine_of(run, any_host),
          .commit =
              provenance_of(run, "git_sha") + (provenance_of(run, "git_dirty") == "yes" ? "+" : ""),
          .start_utc = digits_of(provenance_of(run, "start_utc")),
          .seconds = seconds,
          .low = end_of_interval("iteration_seconds_low"),
          .high = end_of_interval("iteration_seconds_high")};
}

// The fields of a run that people tell runs apart by.
std::string words_of_run(const RunSpec& spec) {
  Table fields = with_columns(field_table({spec}), {"workload", "tokens", "ranks", "shape", "dtype",
                                                    "direction", "backend", "kernel"});
  return fields.rows.front().front() + ", " + words_of_row(fields, 0);
}

int add(const Flags& flags) {
  History history;
  if (std::filesystem::exists(flags.file)) history = read_history(flags.file);
  std::set<std::pair<std::string, int64_t>> known;
  for (const HistoryPoint& point : history.points) known.emplace(point.run_id, point.start_utc);
  size_t added = 0, measured = 0;
  for (const StoredRun& run : read_runs(flags.folder)) {
    if (source_of(run.outcome) != "measured" || run.outcome.status != Status::ok) continue;
    ++measured;
    HistoryPoint point = point_of(run, words_of_run(run.outcome.spec), flags.any_host);
    if (!known.emplace(point.run_id, point.start_utc).second) continue;
    history.points.push_back(std::move(point));
    ++added;
  }
  if (measured == 0) {
    throw UserError(flags.folder +
                    ": has no measured runs; planned and simulated times have no "
                    "history");
  }
  const std::filesystem::path parent = std::filesystem::path(flags.file).parent_path();
  std::error_code ignored;  // writing says what is wrong
  if (!parent.empty()) std::filesystem::create_directories(parent, ignored);
  write_history(flags.file, history);
  fmt::print(stderr, "cpbench: {} runs added to {}, {} were there already\n", added, flags.file,
             measured - added);
  return kExitOk;
}

// One run on one machine, in the order of the measurements.
struct Series {
  std::vector<HistoryPoint> points;
  std::vector<ChangePoint> changes;
};

std::vector<Series> series_of(const History& history) {
  std::map<std::pair<std::string, std::string>, Series> found;
  for (const HistoryPoint& point : history.points) {
    found[{point.run_id, point.machine}].points.push_back(point);
  }
  std::vector<Series> all;
  for (auto& [key, series] : found) {
    std::ranges::stable_sort(series.points, {}, &HistoryPoint::start_utc);
    std::vector<double> seconds;
    for (const HistoryPoint& point : series.points) seconds.push_back(point.seconds);
    series.changes = change_points(seconds);
    all.push_back(std::move(series));
  }
  // Those that changed last come first.
  std::ranges::stable_sort(all, std::ranges::greater(), [](const Series& series) {
    return series.changes.empty() ? 0 : series.points[series.changes.back().at].start_utc;
  });
  return all;
}

std::string change_text(const Series& series, const ChangePoint& change) {
  const HistoryPoint& point = series.points[change.at];
  return fmt::format("{:+.1f}% at {}, {}", 100 * (change.after / change.before - 1),
                     point.commit.substr(0, 10), day_of(point.start_utc));
}

Table table_of(const std::vector<Series>& all) {
  Table table{{{"run"},
               {"last change", false, 9},
               {"changes", true, 6},
               {"last time", true, 8},
               {"95% interval", true, 4},
               {"points", true, 5},
               {"machine", false, 3}},
              {}};
  for (const Series& series : all) {
    const HistoryPoint& last = series.points.back();
    table.rows.push_back({last.words,
                          series.changes.empty() ? "" : change_text(series, series.changes.back()),
                          std::to_string(series.changes.size()), short_seconds(last.seconds),
                          short_seconds(last.low) + " to " + short_seconds(last.high),
                          std::to_string(series.points.size()), last.machine});
  }
  return table;
}

ordered_json json_of(const std::vector<Series>& all) {
  ordered_json array = ordered_json::array();
  for (const Series& series : all) {
    const HistoryPoint& last = series.points.back();
    ordered_json one = {{"run_id", last.run_id}, {"words", last.words}, {"machine", last.machine}};
    for (const HistoryPoint& point : series.points) {
      one["points"].push_back({{"commit", point.commit},
                               {"day", day_of(point.start_utc)},
                               {"seconds", json_number(point.seconds)},
                               {"low", json_number(point.low)},
                               {"high", json_number(point.high)}});
    }
    one["changes"] = ordered_json::array();
    for (const ChangePoint& change : series.changes) {
      one["changes"].push_back({{"at", change.at},
                                {"before_seconds", json_number(change.before)},
                                {"after_seconds", json_number(change.after)},
                                {"p_value", json_number(change.p_value)},
                                {"words", change_text(series, change)}});
    }
    array.push_back(std::move(one));
  }
  return array;
}

int show(const Flags& flags, const ViewFlags& view_flags) {
  const Format format = parse_format(flags.format);
  const View view = view_flags.view(format);
  const std::vector<Series> all = series_of(read_history(flags.file));
  if (!flags.page.empty()) {
    become_python(
        "history.py",
        json_text({{"output", flags.page}, {"title", flags.file}, {"series", json_of(all)}}));
  }
  print(format == Format::json ? json_text(json_of(all), 2) + "\n"
                               : render(table_of(all), format, view));
  return kExitOk;
}

int history(const Flags& flags, const ViewFlags& view) {
  if (flags.action == "add") {
    if (flags.folder.empty()) throw UserError("history add needs a folder of results");
    return add(flags);
  }
  if (flags.action != "show") {
    throw UserError("'" + flags.action + "' is not an action of history; must be add or show");
  }
  if (!flags.folder.empty()) {
    throw UserError("history show reads the file that --file names, and no '" + flags.folder + "'");
  }
  return show(flags, view);
}

}  // namespace

void add_history_command(CLI::App& app, Context& context) {
  Command command(
      app, "history",
      "Keeps measured times from commit to commit, and shows where they changed.\n"
      "Examples:\n"
      "  cpbench history add results/runs/quick\n"
      "  cpbench history show\n"
      "  cpbench history show --page history.html\n"
      "A series is one run on one machine; machines are told apart by processor, cores and name. "
      "A change is found by E-divisive means with a permutation test: of series that are only "
      "noise, 1 in 100 is called a change. It reports and judges nothing: the exit code is 0.\n");
  auto flags = std::make_shared<Flags>();
  command.argument("action", flags->action, "add or show", "ACTION");
  command.optional_argument("folder", flags->folder, "of add: a folder of results", "DIR");
  command.option("--file", flags->file, "the history [results/history.h5]", "FILE.h5");
  command.flag("--any-host", flags->any_host,
               "of add: machines with the same processor and number of cores are one machine, for "
               "CI whose hosts come and go");
  command.option("--page", flags->page, "of show: HTML file to write, with figures", "FILE.html");
  add_format_flag(command, flags->format);
  auto view = std::make_shared<ViewFlags>(command);
  command.action([flags, view, &context] { context.exit_code = history(*flags, *view); });
}

}  // namespace cpbench
