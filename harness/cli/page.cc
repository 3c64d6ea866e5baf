#include "harness/cli/page.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "harness/cli/json_number.h"
#include "harness/cli/metric_columns.h"
#include "harness/cli/report.h"
#include "harness/cli/run_table.h"
#include "harness/cli/text.h"
#include "harness/plan/sizes.h"

namespace cpbench {
namespace {

using nlohmann::ordered_json;
using Runs = std::vector<StoredRun>;

constexpr size_t kMostCommands = 20;
constexpr size_t kMostValues = 4;  // of one key of the provenance

// How often each text comes, in the order of the texts.
template <typename Text>
std::map<std::string, size_t> counts(const Runs& runs, Text text) {
  std::map<std::string, size_t> found;
  for (const StoredRun& run : runs) ++found[text(run)];
  return found;
}

std::string counted(size_t count, const std::string& one, const std::string& many) {
  return fmt::format("{} {}", count, count == 1 ? one : many);
}
std::string runs_text(size_t count) { return counted(count, "run", "runs"); }

// "3 ok, 1 failed"
std::string text_of(const std::map<std::string, size_t>& found) {
  std::string text;
  for (const auto& [name, count] : found) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, name);
  }
  return text;
}

// Simulated runs are marked as such.
std::string name_of_run(const Outcome& outcome) {
  return strategy_text(outcome.spec) + (source_of(outcome) == "simulated" ? " (simulated)" : "");
}

std::string words_of(const RunSpec& spec) {
  return fmt::format("{}, {} tokens, {} ranks, {}", spec.workload, size_text(spec.tokens),
                     spec.ranks, spec.backend);
}

ordered_json block(const char* kind, ordered_json value) { return {{kind, std::move(value)}}; }

struct Group {
  std::string heading;
  std::vector<std::vector<std::string>> rows;
};

ordered_json table_block(const std::vector<Column>& columns, const std::vector<Group>& groups) {
  ordered_json table = {{"columns", ordered_json::array()}, {"groups", ordered_json::array()}};
  for (const Column& column : columns) {
    table["columns"].push_back({{"name", column.name}, {"number", column.number}});
  }
  for (const Group& group : groups) {
    table["groups"].push_back({{"heading", group.heading}, {"rows", group.rows}});
  }
  return block("table", std::move(table));
}
ordered_json table_block(const Table& table) {
  return table_block(table.columns, {{"", table.rows}});
}

ordered_json section(const std::string& title, std::vector<ordered_json> blocks) {
  return {{"title", title}, {"blocks", std::move(blocks)}};
}

// ---- the sections

// What a reader must know before believing a number.
std::vector<std::string> cautions_of(const Runs& runs) {
  std::vector<std::string> lines;
  std::vector<std::string> models;
  std::set<std::string> machines;
  size_t oversubscribed = 0, debug = 0;
  for (const StoredRun& run : runs) {
    if (source_of(run.outcome) == "simulated") {
      const std::string& error = run.outcome.model_error;
      models.push_back(error.empty() ? "its error is unknown" : error);
    }
    if (run.outcome.oversubscribed) ++oversubscribed;
    if (source_of(run.outcome) != "measured") continue;
    machines.insert(provenance_of(run, "machine"));
    if (provenance_of(run, "debug_build") == "yes") ++debug;
  }
  if (!models.empty()) {
    lines.push_back(fmt::format("Times marked as simulated are those of a model, not measured: {}.",
                                parts_once(models)));
  }
  if (oversubscribed > 0) {
    lines.push_back(runs_text(oversubscribed) +
                    " had more ranks than cores, so their timings are unreliable.");
  }
  if (debug > 0) {
    lines.push_back(runs_text(debug) +
                    " used a build that is not optimised, so their timings are not meaningful.");
  }
  if (machines.size() > 1) {
    lines.push_back(fmt::format(
        "The times were measured on {} machines; compare only times of the same machine.",
        machines.size()));
  }
  return lines;
}

ordered_json opening(const Runs& runs, const std::string& folder) {
  std::set<std::string> days;
  for (const StoredRun& run : runs) days.insert(provenance_of(run, "start_utc").substr(0, 10));
  days.erase("");
  const auto strategies = counts(runs, [](const auto& r) { return strategy_text(r.outcome.spec); });
  std::string text =
      runs_text(runs.size()) + " of " + counted(strategies.size(), "strategy", "strategies") +
      "; " + text_of(counts(runs, [](const auto& r) { return source_of(r.outcome); })) + "; " +
      text_of(counts(runs, [](const auto& r) { return name_of(r.outcome.status); }));
  if (!days.empty()) text += "; " + *days.begin();
  if (days.size() > 1) text += " to " + *days.rbegin();
  std::vector<ordered_json> blocks = {block("text", text)};
  const std::string missing = missing_runs(folder, runs);
  if (!missing.empty()) blocks.push_back(block("caution", missing + "."));
  for (const std::string& line : cautions_of(runs)) blocks.push_back(block("caution", line));
  return section("", blocks);
}

// The table that `show` prints, with the runs of one problem under its heading.
ordered_json results(const RunTable& made, const std::vector<Outcome>& outcomes) {
  if (made.values.columns.empty()) return nullptr;
  std::vector<Column> columns = {{"strategy"}};
  columns.insert(columns.end(), made.values.columns.begin(), made.values.columns.end());
  std::vector<Group> groups;
  for (size_t i = 0; i < outcomes.size(); ++i) {
    const std::string heading = words_of_row(made.fields, i);
    auto group = std::ranges::find(groups, heading, &Group::heading);
    if (group == groups.end()) group = groups.insert(groups.end(), {heading, {}});
    group->rows.push_back({name_of_run(outcomes[i])});
    group->rows.back().insert(group->rows.back().end(), made.values.rows[i].begin(),
                              made.values.rows[i].end());
  }
  std::vector<ordered_json> blocks;
  if (!made.same.empty()) blocks.push_back(block("text", "The same in all runs: " + made.same));
  blocks.push_back(table_block(columns, groups));
  return section("Results", blocks);
}

ordered_json failures(const std::vector<Outcome>& outcomes) {
  Table table{{{"strategy"}, {"run"}, {"status"}, {"reason"}}, {}};
  for (const Outcome& outcome : outcomes) {
    if (outcome.status == Status::ok) continue;
    table.rows.push_back(
        {name_of_run(outcome), words_of(outcome.spec), name_of(outcome.status), outcome.error});
  }
  return table.rows.empty() ? nullptr : section("Runs that are not ok", {table_block(table)});
}

ordered_json reproduction(const Runs& runs) {
  const std::string separator = "\n";
  const auto commands = counts(runs, [&](const StoredRun& run) {
    const std::string commit = provenance_of(run, "git_sha");
    const bool dirty = provenance_of(run, "git_dirty") == "yes";
    return (commit.empty() ? "unknown" : commit) + (dirty ? ", with uncommitted changes" : "") +
           separator + provenance_of(run, "command_line");
  });
  std::vector<ordered_json> blocks;
  size_t shown = 0;
  for (const auto& [text, count] : commands) {
    const size_t end = text.find(separator);
    if (end + 1 == text.size()) continue;  // no command is known
    if (++shown > kMostCommands) continue;
    blocks.push_back(block("text", runs_text(count) + ", commit " + text.substr(0, end) + ":"));
    blocks.push_back(block("command", text.substr(end + 1)));
  }
  if (shown > kMostCommands) {
    blocks.push_back(block("text", fmt::format("and {} more commands", shown - kMostCommands)));
  }
  blocks.push_back(block("text",
                         "The end of what this prints is the command of a single run; FILE is "
                         "listed below."));
  blocks.push_back(block("command", "cpbench show FILE"));
  return section("How to reproduce", blocks);
}

ordered_json provenance_section(const Runs& runs) {
  const std::map<std::string, std::string> labels = {{"git_sha", "commit"},
                                                     {"git_dirty", "uncommitted changes"},
                                                     {"cpu_model", "processor"},
                                                     {"machine", "machine fingerprint"}};
  const std::set<std::string> of_one_run = {"command_line", "start_utc", "end_utc"};
  std::set<std::string> keys;
  for (const StoredRun& run : runs) {
    for (const auto& [key, value] : run.provenance) keys.insert(key);
  }
  Table table{{{"what"}, {"value"}}, {}};
  for (const std::string& key : keys) {
    if (of_one_run.count(key)) continue;
    const auto found = counts(runs, [&](const StoredRun& run) { return provenance_of(run, key); });
    std::vector<std::pair<std::string, size_t>> values(found.begin(), found.end());
    std::ranges::stable_sort(values, std::greater<>(), &std::pair<std::string, size_t>::second);
    std::string text;
    for (size_t i = 0; i < std::min(values.size(), kMostValues); ++i) {
      const auto& [value, count] = values[i];
      text += (text.empty() ? "" : "\n") + (value.empty() ? "none" : value);
      if (values.size() > 1) text += " (" + runs_text(count) + ")";
    }
    if (values.size() > kMostValues)
      text += fmt::format("\nand {} more", values.size() - kMostValues);
    std::string label = labels.count(key) ? labels.at(key) : key;
    std::ranges::replace(label, '_', ' ');
    table.rows.push_back({label, text});
  }
  return section("Where it was made", {table_block(table)});
}

ordered_json definitions(const std::vector<Outcome>& outcomes) {
  Table table{{{"column"}, {"metric"}, {"definition"}}, {}};
  for (const MetricColumn& column : metric_columns()) {
    for (const Outcome& outcome : outcomes) {
      const auto found = std::ranges::find(outcome.metrics, column.metric, &MetricValue::name);
      if (found == outcome.metrics.end()) continue;
      table.rows.push_back({column.heading, column.metric, found->description});
      break;
    }
  }
  return table.rows.empty() ? nullptr : section("What the numbers are", {table_block(table)});
}

ordered_json all_runs(const std::vector<Outcome>& outcomes, const std::string& folder) {
  Table table{{{"strategy"}, {"run"}, {"status"}, {"run id"}, {"file"}}, {}};
  for (const Outcome& outcome : outcomes) {
    table.rows.push_back({name_of_run(outcome), words_of(outcome.spec), name_of(outcome.status),
                          run_id(outcome.spec),
                          std::filesystem::path(outcome.file).lexically_relative(folder).string()});
  }
  ordered_json found = section("All runs", {table_block(table)});
  found["folded"] = "files and run ids";
  return found;
}

}  // namespace

std::string page_json(const std::string& folder, const std::string& output,
                      const std::vector<StoredRun>& runs, const std::string& baseline) {
  const std::vector<Outcome> outcomes = outcomes_of(runs);
  const RunTable made = run_table(outcomes, {.baseline = baseline_of(specs_of(outcomes), baseline),
                                             .interval = true,
                                             .fold_single = true});
  std::vector<std::string> files;
  for (const Outcome& outcome : outcomes) files.push_back(outcome.file);
  std::ranges::sort(files);
  ordered_json page = {
      {"files", std::move(files)},
      {"output", output},
      {"title", "cpbench: " + std::filesystem::canonical(folder).filename().string()},
      {"sections", ordered_json::array()}};
  for (ordered_json& part : std::vector<ordered_json>{
           opening(runs, folder), results(made, outcomes),
           section("Figures", {block("figures", true)}), failures(outcomes), reproduction(runs),
           provenance_section(runs), definitions(outcomes), all_runs(outcomes, folder)}) {
    if (!part.is_null()) page["sections"].push_back(std::move(part));
  }
  return json_text(page);
}

}  // namespace cpbench
