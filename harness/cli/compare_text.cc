// A comparison as text: a table for people, everything for programs.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

#include "harness/cli/compare.h"
#include "harness/cli/json_number.h"
#include "harness/cli/metric_columns.h"
#include "harness/cli/run_table.h"
#include "harness/cli/text.h"
#include "harness/spec/run_fields.h"

namespace cpbench {

namespace {

using nlohmann::ordered_json;
using std::string_literals::operator""s;

// The metrics that a change of code or machine moves.
const std::vector<std::string> kMetrics = {"iteration_seconds", "wire_bytes", "compute_imbalance",
                                           "peak_bytes", "mfu"};

struct Pair {
  const Outcome& a;
  const Outcome& b;
};

struct Ratio {
  std::optional<double> a, b;  // nullopt: the run has none, or is not ok
  // nullopt also where a is 0, and between versions of the metric's definition.
  std::optional<double> b_over_a;
};

const MetricValue* find(const Outcome& outcome, const std::string& name) {
  if (outcome.status != Status::ok) return nullptr;
  for (const MetricValue& metric : outcome.metrics) {
    if (metric.name == name) return &metric;
  }
  return nullptr;
}

Ratio ratio_of(const Pair& pair, const std::string& name) {
  Ratio ratio;
  const MetricValue *a = find(pair.a, name), *b = find(pair.b, name);
  if (a) ratio.a = a->value;
  if (b) ratio.b = b->value;
  const bool comparable = a && b && a->definition_version == b->definition_version;
  if (comparable && a->value == b->value) ratio.b_over_a = 1;
  if (comparable && a->value != b->value && a->value != 0) ratio.b_over_a = b->value / a->value;
  return ratio;
}

std::vector<Pair> pairs_of(const Comparison& c) {
  std::vector<Pair> pairs;
  for (const auto& [i, k] : c.pairs) {
    pairs.push_back({c.a.runs[i].outcome, c.b.runs[k].outcome});
  }
  return pairs;
}

// The geometric mean, so that the mean of A/B is one over the mean of B/A.
std::optional<double> mean_ratio(const std::vector<Pair>& pairs, const std::string& metric) {
  double logarithms = 0;
  int64_t count = 0;
  for (const Pair& pair : pairs) {
    const Ratio ratio = ratio_of(pair, metric);
    if (!ratio.b_over_a || !(*ratio.b_over_a > 0)) continue;
    logarithms += std::log(*ratio.b_over_a);
    ++count;
  }
  if (count == 0) return std::nullopt;
  return std::exp(logarithms / static_cast<double>(count));
}

std::string both(const std::string& a, const std::string& b) { return a == b ? a : a + " / " + b; }

bool present(const std::vector<Pair>& pairs, const std::string& metric) {
  return std::any_of(pairs.begin(), pairs.end(),
                     [&](const Pair& p) { return find(p.a, metric) || find(p.b, metric); });
}
bool same_everywhere(const std::vector<Pair>& pairs, const std::string& metric) {
  return std::all_of(pairs.begin(), pairs.end(), [&](const Pair& p) {
    const Ratio ratio = ratio_of(p, metric);
    return ratio.a == ratio.b && (!ratio.a || ratio.b_over_a);
  });
}

// One row per pair: the fields of the runs, and where the two sides differ "a / b".
Table pair_table(const std::vector<Pair>& pairs) {
  std::vector<RunSpec> specs_a, specs_b;
  for (const Pair& pair : pairs) {
    specs_a.push_back(pair.a.spec);
    specs_b.push_back(pair.b.spec);
  }
  Table table = field_table(specs_a);
  const Table other = field_table(specs_b);
  table.columns.push_back({"status", false, kFieldImportance});
  for (size_t i = 0; i < pairs.size(); ++i) {
    std::vector<std::string>& row = table.rows[i];
    for (size_t c = 1; c < row.size(); ++c) row[c] = both(row[c], other.rows[i][c]);
    row.push_back(both(name_of(pairs[i].a.status), name_of(pairs[i].b.status)));
  }
  return table;
}

std::string side_line(const char* name, const Side& side) {
  std::vector<std::string> errors;
  for (const StoredRun& run : side.runs) errors.push_back(run.outcome.model_error);
  const std::string parts = parts_once(errors);
  const std::string models = parts.empty() ? "" : fmt::format(" ({})", parts);
  return fmt::format("{}: {}, {} runs, {}{}", name, side.path, side.runs.size(), source_of(side),
                     models);
}

std::string only_text(const char* name, const Side& side, const std::vector<size_t>& indices,
                      Format format, View view) {
  if (indices.empty()) return "";
  std::vector<Pair> runs;
  for (size_t i : indices) runs.push_back({side.runs[i].outcome, side.runs[i].outcome});
  Table table = pair_table(runs);
  const std::string same = fold_constant_columns(table, 1);
  view.columns.clear();  // which name metrics
  return "\n" +
         prose(fmt::format("only in {}: {} runs{}", name, indices.size(),
                           same.empty() ? "" : " (" + same + ")"),
               format, view.width) +
         "\n" + render(table, format, view);
}

std::string joined_names(const std::vector<std::string>& names) {
  return fmt::format("{}", fmt::join(names, ", "));
}

std::string for_people(const Comparison& c, const std::vector<std::string>& names, Format format,
                       const View& view) {
  const std::vector<Pair> pairs = pairs_of(c);
  // Measured and simulated values are told apart in the headings.
  const bool labelled = source_of(c.a) != source_of(c.b) || source_of(c.a) == "simulated";
  const std::string of_a = labelled ? " A " + source_of(c.a) : " A";
  const std::string of_b = labelled ? " B " + source_of(c.b) : " B";
  Table fields = pair_table(pairs), values;
  values.rows.resize(pairs.size());
  std::vector<std::string> same, absent, means;
  int importance = kFieldImportance;
  for (const std::string& name : names) {
    --importance;  // the metrics come in the order of their importance
    const bool wanted = std::ranges::find(view.columns, name) != view.columns.end();
    if (!present(pairs, name)) {
      absent.push_back(name);
      if (!wanted) continue;
    } else if (same_everywhere(pairs, name)) {
      same.push_back(name);
      if (!wanted) continue;
    }
    const MetricColumn metric = metric_column(name);
    for (const std::string& heading : {metric.heading + of_a, metric.heading + of_b, "B/A"s}) {
      values.columns.push_back({heading, true, std::max(importance, 1), name});
    }
    for (size_t i = 0; i < pairs.size(); ++i) {
      const Ratio ratio = ratio_of(pairs[i], name);
      for (const auto& value : {ratio.a, ratio.b}) {
        values.rows[i].push_back(value ? value_text(metric, *value) : "");
      }
      values.rows[i].push_back(ratio.b_over_a ? fmt::format("{:.3f}x", *ratio.b_over_a) : "");
    }
    if (const auto mean = mean_ratio(pairs, name)) {
      means.push_back(fmt::format("{} {:.3f}x", name, *mean));
    }
  }
  Table folded = fields;
  std::vector<std::string> lines = {side_line("A", c.a), side_line("B", c.b),
                                    fold_constant_columns(folded, 1)};
  if (!same.empty()) {
    lines.push_back(fmt::format("the same in all {} pairs: {}", pairs.size(), joined_names(same)));
  }
  if (!absent.empty()) lines.push_back("in no pair: " + joined_names(absent));
  std::string text;
  for (const std::string& line : lines) text += line.empty() ? "" : prose(line, format, view.width);
  const Table& shown = view.columns.empty() ? folded : fields;
  if (!values.columns.empty()) text += "\n" + render(joined(shown, values), format, view);
  if (!means.empty()) {
    text += "\n" + prose(fmt::format("geometric mean of B/A over {} pairs: {}", pairs.size(),
                                     joined_names(means)),
                         format, view.width);
  }
  return text + only_text("A", c.a, c.only_a, format, view) +
         only_text("B", c.b, c.only_b, format, view);
}

// ---- for programs

ordered_json json_of(const std::optional<double>& value) {
  return value ? json_number(*value) : ordered_json(nullptr);
}

ordered_json run_json(const Outcome& outcome) {
  ordered_json object = ordered_json::object();
  for (const RunField& field : run_fields()) {
    object[field.name] = field_text(field, outcome.spec);
    if (field.name == std::string("strategy"))
      object["options"] = ordered_json(outcome.spec.options);
  }
  object["status"] = name_of(outcome.status);
  object["error"] = outcome.error;
  object["source"] = source_of(outcome);
  object["run_id"] = run_id(outcome.spec);
  object["file"] = outcome.file;
  return object;
}

ordered_json side_json(const Side& side, const std::vector<size_t>& only) {
  ordered_json runs = ordered_json::array();
  for (size_t i : only) runs.push_back(run_json(side.runs[i].outcome));
  return {{"path", side.path},
          {"cells", side.runs.size()},
          {"source", source_of(side)},
          {"only_here", runs}};
}

std::string as_json(const Comparison& c, const std::vector<std::string>& names) {
  ordered_json object = {{"a", side_json(c.a, c.only_a)}, {"b", side_json(c.b, c.only_b)}};
  const std::vector<Pair> pairs = pairs_of(c);
  object["pairs"] = ordered_json::array();
  for (const Pair& pair : pairs) {
    ordered_json metrics = ordered_json::object();
    for (const std::string& name : names) {
      const Ratio ratio = ratio_of(pair, name);
      if (!ratio.a && !ratio.b) continue;
      metrics[name] = {
          {"a", json_of(ratio.a)}, {"b", json_of(ratio.b)}, {"ratio", json_of(ratio.b_over_a)}};
    }
    object["pairs"].push_back(
        {{"a", run_json(pair.a)}, {"b", run_json(pair.b)}, {"metrics", metrics}});
  }
  object["mean_ratio"] = ordered_json::object();
  for (const std::string& name : names) {
    if (const auto mean = mean_ratio(pairs, name)) object["mean_ratio"][name] = json_number(*mean);
  }
  return json_text(object, 2) + "\n";
}

std::string csv_number(const std::optional<double>& value) {
  return value ? json_number(*value).dump() : "";
}

// One row per pair, then the runs that only one side has.
std::string as_csv(const Comparison& c, const std::vector<std::string>& names) {
  Table table;
  table.columns.push_back({"in"});
  for (const RunField& field : run_fields()) table.columns.push_back({field.name});
  table.columns.push_back({"options"});
  for (const char* name : {"source", "status", "file"}) {
    table.columns.insert(table.columns.end(),
                         {{std::string(name) + "_a"}, {std::string(name) + "_b"}});
  }
  for (const std::string& name : names) {
    table.columns.insert(table.columns.end(),
                         {{name + "_a", true}, {name + "_b", true}, {name + "_ratio", true}});
  }
  const auto add = [&](const char* in, const Outcome* a, const Outcome* b) {
    const Outcome &first = a ? *a : *b, &second = b ? *b : *a;
    std::vector<std::string> row = {in};
    for (const RunField& field : run_fields()) {
      row.push_back(both(field_text(field, first.spec), field_text(field, second.spec)));
    }
    row.push_back(options_text(first.spec.options));
    for (const Outcome* side : {a, b}) row.push_back(side ? source_of(*side) : "");
    for (const Outcome* side : {a, b}) row.push_back(side ? name_of(side->status) : "");
    for (const Outcome* side : {a, b}) row.push_back(side ? side->file : "");
    for (const std::string& name : names) {
      Ratio ratio = ratio_of({first, second}, name);
      if (!a) ratio.a = ratio.b_over_a = std::nullopt;
      if (!b) ratio.b = ratio.b_over_a = std::nullopt;
      row.insert(row.end(), {csv_number(ratio.a), csv_number(ratio.b), csv_number(ratio.b_over_a)});
    }
    table.rows.push_back(std::move(row));
  };
  for (const Pair& pair : pairs_of(c)) add("both", &pair.a, &pair.b);
  for (size_t i : c.only_a) add("A", &c.a.runs[i].outcome, nullptr);
  for (size_t i : c.only_b) add("B", nullptr, &c.b.runs[i].outcome);
  return render(table, Format::csv);
}

}  // namespace

std::string comparison_text(const Comparison& c, const std::vector<std::string>& wanted,
                            Format format, const View& view) {
  std::vector<std::string> names = wanted;
  if (names.empty()) {
    const std::vector<Pair> pairs = pairs_of(c);
    for (const std::string& name : kMetrics) {
      if (present(pairs, name)) names.push_back(name);
    }
  }
  for (const std::string& key : view.columns) {
    const bool is_metric = find_run_field(key) == nullptr && key != "status";
    if (is_metric && std::ranges::find(names, key) == names.end()) names.push_back(key);
  }
  if (format == Format::json) return as_json(c, names);
  if (format == Format::csv) return as_csv(c, names);
  return for_people(c, names, format, view);
}

}  // namespace cpbench
