#include "harness/cli/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "harness/cli/json_number.h"
#include "harness/measure/metrics.h"
#include "harness/plan/errors.h"
#include "harness/run/choices.h"

namespace cpbench {

namespace {

using nlohmann::ordered_json;

// ---- for people

std::string percent(double value) { return fmt::format("{:.1f}%", value * 100); }
std::string ratio(double value) { return fmt::format("{:.3f}", value); }
std::string scientific(double value) { return fmt::format("{:.1e}", value); }
std::string giga(double value) { return fmt::format("{:.3g}", value * 1e3); }

struct TableMetric {
  const char* metric;
  const char* heading;
  std::string (*text)(double value);
};
constexpr TableMetric kTableMetrics[] = {
    {"iteration_seconds", "time", short_seconds},
    {"tflops_per_rank", "GFLOP/s/rank", giga},
    {"mfu", "MFU", percent},
    {"wire_bytes", "bytes", short_number},
    {"compute_imbalance", "compute max/mean", ratio},
    {"token_imbalance", "tokens max/mean", ratio},
    {"steps", "steps", short_number},
    {"peak_bytes", "peak bytes", short_number},
    {"max_error_output", "error O", scientific},
    {"max_error_gradient", "error grad", scientific},
};

// By problem the metric that strategies are compared by, of the baseline's first cell that has it.
std::map<std::string, double> baseline_values(const std::vector<Outcome>& outcomes,
                                              const std::string& baseline,
                                              const std::string& metric) {
  std::map<std::string, double> values;
  for (const Outcome& outcome : outcomes) {
    const double* value = outcome.metric(metric);
    if (outcome.spec.strategy != baseline || outcome.status != Status::ok || !value) continue;
    const std::string key = problem_key(outcome.spec);
    if (!values.count(key) || outcome.spec.options.empty()) values[key] = *value;
  }
  return values;
}

Table table_of(const std::vector<Outcome>& outcomes, const std::string& baseline) {
  const auto times = baseline_values(outcomes, baseline, "iteration_seconds");
  const auto bytes = baseline_values(outcomes, baseline, "wire_bytes");

  Table table;
  for (const RunField& field : run_fields()) table.columns.push_back({field.name});
  table.columns.insert(table.columns.end(), {{"status"}, {"run"}});
  for (const TableMetric& column : kTableMetrics) {
    table.columns.push_back({column.heading, true});
    const std::string name = column.metric;
    if (name == "iteration_seconds") table.columns.push_back({"speed / " + baseline, true});
    if (name == "wire_bytes") table.columns.push_back({"bytes / " + baseline, true});
  }
  table.columns.push_back({"error"});

  for (const Outcome& outcome : outcomes) {
    std::vector<std::string> row;
    for (const RunField& field : run_fields()) {
      row.push_back(field.name == std::string("strategy") ? strategy_text(outcome.spec)
                                                          : field_text(field, outcome.spec));
    }
    row.push_back(name_of(outcome.status));
    row.push_back(outcome.existed ? "existing" : "");
    const bool ok = outcome.status == Status::ok;
    const auto against = [&](const std::map<std::string, double>& values, auto compare) {
      const auto found = values.find(problem_key(outcome.spec));
      row.push_back(ok && found != values.end() && found->second > 0 ? compare(found->second) : "");
    };
    for (const TableMetric& column : kTableMetrics) {
      const double* value = ok ? outcome.metric(column.metric) : nullptr;
      row.push_back(value ? column.text(*value) : "");
      const std::string name = column.metric;
      if (name == "iteration_seconds") {
        against(times,
                [&](double base) { return value ? fmt::format("{:.2f}x", base / *value) : ""; });
      }
      if (name == "wire_bytes") {
        against(bytes,
                [&](double base) { return value ? fmt::format("{:.2f}x", *value / base) : ""; });
      }
    }
    row.push_back(outcome.error);
    table.rows.push_back(std::move(row));
  }
  return table;
}

// Below a table with simulated times: that they are, and by which models.
std::string simulation_note(const std::vector<Outcome>& outcomes) {
  std::set<std::string> errors;
  for (const Outcome& outcome : outcomes) {
    if (outcome.simulated && outcome.status == Status::ok) errors.insert(outcome.model_error);
  }
  std::string note;
  for (const std::string& error : errors) note += "\nSimulated times; " + error + "\n";
  return note;
}

void drop_empty_columns(Table& table) {
  for (size_t c = table.columns.size(); c-- > 0;) {
    bool empty = true;
    for (const auto& row : table.rows) empty &= row[c].empty();
    if (!empty) continue;
    table.columns.erase(table.columns.begin() + static_cast<std::ptrdiff_t>(c));
    for (auto& row : table.rows) row.erase(row.begin() + static_cast<std::ptrdiff_t>(c));
  }
}

// ---- for programs

ordered_json json_of(const RunField& field, const RunSpec& spec) {
  return std::visit(
      [&](auto number) -> ordered_json {
        if constexpr (std::is_same_v<decltype(number), std::monostate>) {
          return field_text(field, spec);
        } else {
          return number;
        }
      },
      field_number(field, spec));
}

std::string json(const std::vector<Outcome>& outcomes) {
  ordered_json array = ordered_json::array();
  for (const Outcome& outcome : outcomes) {
    const RunSpec& spec = outcome.spec;
    ordered_json object;
    for (const RunField& field : run_fields()) {
      object[field.name] = json_of(field, spec);
      if (field.name == std::string("strategy")) object["options"] = ordered_json(spec.options);
    }
    object["status"] = name_of(outcome.status);
    object["error"] = outcome.error;
    object["file"] = outcome.file;
    object["run_id"] = run_id(spec);
    object["existed"] = outcome.existed;
    object["oversubscribed"] = outcome.oversubscribed;
    object["simulated"] = outcome.simulated;
    object["model_error"] = outcome.model_error;
    object["plan_hash"] = outcome.plan_hash;
    object["metrics"] = ordered_json::object();
    for (const MetricValue& metric : outcome.metrics) {
      object["metrics"][metric.name] = json_number(metric.value);
    }
    array.push_back(std::move(object));
  }
  return array.dump(2) + "\n";
}

Table everything(const std::vector<Outcome>& outcomes) {
  Table table;
  for (const RunField& field : run_fields()) table.columns.push_back({field.name});
  for (const char* name :
       {"options", "status", "error", "file", "run_id", "simulated", "model_error", "plan_hash"}) {
    table.columns.push_back({name});
  }
  for (const Metric& metric : metrics()) table.columns.push_back({metric.name, true});
  for (const Outcome& outcome : outcomes) {
    std::vector<std::string> row;
    for (const RunField& field : run_fields()) row.push_back(field_text(field, outcome.spec));
    row.insert(row.end(),
               {options_text(outcome.spec.options), name_of(outcome.status), outcome.error,
                outcome.file, run_id(outcome.spec), outcome.simulated ? "yes" : "no",
                outcome.model_error, outcome.plan_hash});
    for (const Metric& metric : metrics()) {
      const double* value = outcome.metric(metric.name);
      row.push_back(value ? json_number(*value).dump() : "");
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

}  // namespace

std::string baseline_of(const std::vector<RunSpec>& specs, const std::string& wanted) {
  std::vector<std::string> names;
  for (const RunSpec& spec : specs) {
    if (std::ranges::find(names, spec.strategy) == names.end()) names.push_back(spec.strategy);
  }
  const auto has = [&](const std::string& name) {
    return std::ranges::find(names, name) != names.end();
  };
  if (!wanted.empty()) {
    if (has(wanted)) return wanted;
    throw UserError(fmt::format("--baseline: '{}' is not among the strategies of this run: {}",
                                wanted, fmt::join(names, ", ")));
  }
  if (has("allgather")) return "allgather";
  return names.empty() ? "" : names.front();
}

std::string baseline_of(const std::vector<Job>& jobs, const std::string& wanted) {
  std::vector<RunSpec> specs;
  for (const Job& job : jobs) specs.push_back(job.spec);
  return baseline_of(specs, wanted);
}

std::string report(const std::vector<Outcome>& outcomes, const std::string& baseline,
                   Format format) {
  if (format == Format::json) return json(outcomes);
  if (format == Format::csv) return render(everything(outcomes), Format::csv);
  Table table = table_of(outcomes, baseline);
  drop_empty_columns(table);
  const std::string same = fold_constant_columns(table, 1);
  return (same.empty() ? "" : same + "\n\n") + render(table, format) + simulation_note(outcomes);
}

}  // namespace cpbench
