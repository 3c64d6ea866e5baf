#include "harness/cli/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "harness/cli/json_number.h"
#include "harness/cli/properties.h"
#include "harness/cli/run_table.h"
#include "harness/measure/metrics.h"
#include "harness/plan/errors.h"
#include "harness/spec/run_fields.h"

namespace cpbench {

namespace {

using nlohmann::ordered_json;

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
    object["properties"] = properties_json(outcome.properties);
    array.push_back(std::move(object));
  }
  return json_text(array, 2) + "\n";
}

Table everything(const std::vector<Outcome>& outcomes) {
  Table table;
  for (const RunField& field : run_fields()) table.columns.push_back({field.name});
  for (const char* name :
       {"options", "status", "error", "file", "run_id", "simulated", "model_error", "plan_hash"}) {
    table.columns.push_back({name});
  }
  for (const Metric& metric : metrics()) table.columns.push_back({metric.name, true});
  const std::vector<std::string> properties = property_names(outcomes);
  for (const std::string& name : properties) {
    table.columns.push_back({kPropertyPrefix + name, true});
  }
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
    for (const std::string& name : properties) {
      const ReportedValue* property = outcome.property(name);
      row.push_back(property ? json_number(property->value).dump() : "");
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
    throw UserError(fmt::format("--baseline: '{}' is not among the strategies of these runs: {}",
                                wanted, fmt::join(names, ", ")));
  }
  if (has("allgather")) return "allgather";
  return names.empty() ? "" : names.front();
}

std::string report(const std::vector<Outcome>& outcomes, const std::string& baseline, Format format,
                   const View& view) {
  if (format == Format::json) return json(outcomes);
  if (format == Format::csv) return render(everything(outcomes), Format::csv);
  const RunTable made = run_table(
      outcomes,
      {.baseline = baseline, .keys = view.columns, .fold_single = view.width.has_value()});
  std::string text = made.same.empty() ? "" : prose(made.same, format, view.width) + "\n";
  if (!made.values.columns.empty()) {
    text += render(joined(made.fields, made.values), format, view);
    if (!made.errors.empty()) text += "\n";
  }
  for (const std::string& error : made.errors) text += prose(error, format, view.width);
  if (!made.simulation.empty()) text += "\n" + prose(made.simulation, format, view.width);
  return text;
}

}  // namespace cpbench
