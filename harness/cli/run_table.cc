#include "harness/cli/run_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "harness/cli/human.h"
#include "harness/cli/metric_columns.h"
#include "harness/cli/properties.h"
#include "harness/cli/report.h"
#include "harness/cli/text.h"
#include "harness/measure/metrics.h"
#include "harness/plan/errors.h"
#include "harness/plan/nearest.h"
#include "harness/spec/run_fields.h"

namespace cpbench {
namespace {

using Outcomes = std::vector<Outcome>;

const double* metric_of(const Outcome& outcome, const std::string& metric) {
  return outcome.status == Status::ok ? outcome.metric(metric) : nullptr;
}

// By problem the value that ratios refer to: of the baseline's first run that has it, preferably
// one without options.
std::map<std::string, double> baseline_values(const Outcomes& outcomes, const std::string& baseline,
                                              const std::string& metric) {
  std::map<std::string, double> values;
  for (const Outcome& outcome : outcomes) {
    const double* value = metric_of(outcome, metric);
    if (outcome.spec.strategy != baseline || !value) continue;
    const std::string key = problem_key(outcome.spec);
    if (!values.count(key) || outcome.spec.options.empty()) values[key] = *value;
  }
  return values;
}

// Adds a column to the rows of the runs.
template <typename Text>
void add(Table& table, const Outcomes& outcomes, const Column& column, Text text) {
  table.columns.push_back(column);
  for (size_t i = 0; i < outcomes.size(); ++i) table.rows[i].push_back(text(outcomes[i]));
}

void add_metric(Table& table, const Outcomes& outcomes, const MetricColumn& metric,
                const RunTableOptions& options) {
  const auto column = [&](const std::string& heading) {
    return Column{heading, true, metric.importance, metric.metric};
  };
  const bool is_time = metric.metric == "iteration_seconds";
  const bool has_packs =
      std::ranges::any_of(outcomes, [](const Outcome& o) { return o.spec.packs > 1; });
  add(table, outcomes, column(is_time && has_packs ? "time of all packs" : metric.heading),
      [&](const Outcome& outcome) {
        const double* value = metric_of(outcome, metric.metric);
        return value ? value_text(metric, *value) : "";
      });
  const auto add_range = [&](const std::string& heading, const std::string& of) {
    add(table, outcomes, column(heading), [&](const Outcome& outcome) {
      const double* low = metric_of(outcome, of + "_low");
      const double* high = metric_of(outcome, of + "_high");
      return low && high ? short_seconds(*low) + " to " + short_seconds(*high) : "";
    });
  };
  if (is_time) {
    if (options.interval) add_range("95% interval", "iteration_seconds");
    add_range("of a pack", "pack_seconds");
  }
  if (metric.ratio.empty()) return;
  const auto base = baseline_values(outcomes, options.baseline, metric.metric);
  add(table, outcomes, column(metric.ratio + " / " + options.baseline),
      [&](const Outcome& outcome) {
        const double* value = metric_of(outcome, metric.metric);
        const auto found = base.find(problem_key(outcome.spec));
        if (!value || found == base.end() || !(found->second > 0)) return std::string();
        return times(metric.ratio == "speed" ? found->second / *value : *value / found->second);
      });
}

// Of each run the place among the runs of its problem, where their times tell; "" for others.
std::vector<std::string> places_in_problems(const Outcomes& outcomes) {
  std::map<std::string, std::vector<size_t>> problems;
  for (size_t i = 0; i < outcomes.size(); ++i) {
    if (uncertain_time(outcomes[i])) problems[problem_key(outcomes[i].spec)].push_back(i);
  }
  std::vector<std::string> texts(outcomes.size());
  for (const auto& [problem, runs] : problems) {
    if (runs.size() == 1) continue;
    std::vector<UncertainTime> times;
    for (const size_t i : runs) times.push_back(*uncertain_time(outcomes[i]));
    const std::vector<Place> places = places_of(times);
    for (size_t j = 0; j < runs.size(); ++j) texts[runs[j]] = place_text(places[j]);
  }
  return texts;
}

Table state_table(const Outcomes& outcomes) {
  Table table;
  table.rows.resize(outcomes.size());
  add(table, outcomes, {"status", false, 8}, [](const Outcome& o) { return name_of(o.status); });
  add(table, outcomes, {"run", false, 1},
      [](const Outcome& o) { return o.existed ? "existing" : ""; });
  const std::vector<std::string> places = places_in_problems(outcomes);
  table.columns.push_back({"place", true, 6});
  for (size_t i = 0; i < outcomes.size(); ++i) table.rows[i].push_back(places[i]);
  return table;
}

Table value_table(const Outcomes& outcomes, const RunTableOptions& options) {
  Table table;
  table.rows.resize(outcomes.size());
  const auto wanted = [&](const std::string& key) {
    return std::ranges::find(options.keys, key) != options.keys.end();
  };
  for (const MetricColumn& metric : metric_columns()) {
    if (!metric.shown || std::ranges::any_of(outcomes, metric.shown) || wanted(metric.metric)) {
      add_metric(table, outcomes, metric, options);
    }
  }
  for (const Metric& metric : metrics()) {
    const bool is_there =
        std::ranges::find(table.columns, metric.name, key_of) != table.columns.end();
    if (wanted(metric.name) && !is_there) {
      add_metric(table, outcomes, metric_column(metric.name), options);
    }
  }
  for (const std::string& key : options.keys) {
    if (!key.starts_with(kPropertyPrefix)) continue;
    const std::string name = property_of_column(key, outcomes);
    add(table, outcomes, {name, true, 1, key}, [&](const Outcome& outcome) {
      const ReportedValue* property = outcome.property(name);
      return property ? with_unit(property->value, property->unit) : "";
    });
  }
  return table;
}

void drop_empty_columns(Table& table) {
  for (size_t c = table.columns.size(); c-- > 0;) {
    if (!std::ranges::all_of(table.rows, [&](const auto& row) { return row[c].empty(); })) continue;
    table.columns.erase(table.columns.begin() + static_cast<std::ptrdiff_t>(c));
    for (auto& row : table.rows) row.erase(row.begin() + static_cast<std::ptrdiff_t>(c));
  }
}

// One line for each error: "unsupported (ulysses, ranks 3): ...".
std::vector<std::string> errors_of(const Outcomes& outcomes, Table fields) {
  constexpr size_t kMostNames = 3;
  fold_constant_columns(fields, 1, 1);
  using Error = std::pair<Status, std::string>;
  std::vector<Error> errors;  // each once
  std::map<Error, std::vector<std::string>> names;
  for (size_t i = 0; i < outcomes.size(); ++i) {
    if (outcomes[i].status == Status::ok) continue;
    const Error error(outcomes[i].status, outcomes[i].error);
    if (!names.count(error)) errors.push_back(error);
    const std::string words = words_of_row(fields, i);
    names[error].push_back(fields.rows[i].front() + (words.empty() ? "" : ", ") + words);
  }
  std::vector<std::string> lines;
  for (const Error& error : errors) {
    std::vector<std::string>& runs = names[error];
    const size_t count = runs.size();
    if (count > kMostNames) {
      runs.resize(kMostNames);
      runs.push_back(fmt::format("and {} more", count - kMostNames));
    }
    const bool all = count > 1 && count == outcomes.size();
    lines.push_back(fmt::format("{}{} ({}): {}", name_of(error.first),
                                all ? fmt::format(", all {} runs", count) : "",
                                fmt::join(runs, "; "), error.second));
  }
  return lines;
}

std::string simulation_of(const Outcomes& outcomes) {
  std::vector<std::string> models;
  for (const Outcome& outcome : outcomes) {
    if (outcome.simulated && outcome.status == Status::ok) models.push_back(outcome.model_error);
  }
  return models.empty() ? "" : "Simulated times; " + parts_once(models);
}

}  // namespace

Table field_table(const std::vector<RunSpec>& specs) {
  Table table;
  for (const RunField& field : run_fields()) {
    table.columns.push_back({field.name, false, kFieldImportance});
  }
  for (const RunSpec& spec : specs) {
    table.rows.emplace_back();
    for (const RunField& field : run_fields()) {
      table.rows.back().push_back(field.name == std::string("strategy") ? strategy_text(spec)
                                                                        : field_text(field, spec));
    }
  }
  return table;
}

RunTable run_table(const Outcomes& outcomes, const RunTableOptions& options) {
  Table fields = field_table(specs_of(outcomes));
  Table state = state_table(outcomes), values = value_table(outcomes, options);
  RunTable whole{.fields = fields, .values = joined(state, values)};
  const size_t least_rows = options.fold_single ? 1 : 2;
  drop_empty_columns(fields);
  drop_empty_columns(state);
  drop_empty_columns(values);
  std::vector<std::string> same = {fold_constant_columns(fields, 1, least_rows),
                                   fold_constant_columns(state, 0, least_rows),
                                   fold_constant_columns(values, 0)};
  std::erase(same, "");
  RunTable out = options.keys.empty() ? RunTable{.fields = fields, .values = joined(state, values)}
                                      : std::move(whole);
  out.same = fmt::format("{}", fmt::join(same, ", "));
  out.errors = errors_of(outcomes, fields);
  out.simulation = simulation_of(outcomes);
  if (std::ranges::none_of(outcomes, [](const Outcome& o) { return o.status == Status::ok; })) {
    out.values = {};
  }
  return out;
}

std::string words_of_row(const Table& fields, size_t row) {
  std::string words;
  for (size_t c = 1; c < fields.columns.size(); ++c) {
    const std::string& text = fields.rows[row][c];
    if (!text.empty()) words += (words.empty() ? "" : ", ") + fields.columns[c].name + " " + text;
  }
  return words;
}

std::string place_text(const Place& place) {
  return (place.tied ? "=" : "") + std::to_string(place.place);
}

std::vector<std::string> column_keys() {
  std::vector<std::string> keys = run_field_names();
  keys.insert(keys.end(), {"status", "run", "place"});
  for (const Metric& metric : metrics()) keys.push_back(metric.name);
  return keys;
}

std::string column_key(const std::string& name) {
  if (name.starts_with(kPropertyPrefix)) return name;  // which there are, the runs say
  const auto& columns = metric_columns();
  const auto heading = std::ranges::find(columns, name, &MetricColumn::heading);
  if (heading != columns.end()) return heading->metric;
  const std::vector<std::string> keys = column_keys();
  if (std::ranges::find(keys, name) == keys.end()) {
    throw UserError("--columns: " + unknown_name("column", name, keys));
  }
  return name;
}

}  // namespace cpbench
