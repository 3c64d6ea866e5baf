// A comparison as text: a table for people, everything for programs.
#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "harness/cli/compare.h"
#include "harness/cli/json_number.h"
#include "harness/measure/metrics.h"
#include "harness/run/choices.h"

namespace cpbench {

namespace {

using nlohmann::ordered_json;

// What a change of code or machine moves, in the order in which one asks.
const std::vector<std::string> kMetrics = {"iteration_seconds", "wire_bytes", "compute_imbalance",
                                           "peak_bytes", "mfu"};

struct Pair {
  const Outcome& a;
  const Outcome& b;
};

struct Ratio {
  std::optional<double> a, b;  // nullopt: the run has none, or did not end well
  std::string unit;
  // nullopt also where a is 0, and across versions of the metric's definition.
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
  if (a || b) ratio.unit = a ? a->unit : b->unit;
  const bool comparable = a && b && a->definition_version == b->definition_version;
  if (comparable && a->value == b->value) ratio.b_over_a = 1;
  if (comparable && a->value != b->value && a->value != 0) ratio.b_over_a = b->value / a->value;
  return ratio;
}

std::vector<Pair> pairs_of(const Comparison& c) {
  std::vector<Pair> pairs;
  for (const auto& [i, k] : c.pairs) {
    pairs.push_back({c.a.results[i].outcome, c.b.results[k].outcome});
  }
  return pairs;
}

// Geometric, so that A over B is one over B over A.
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

std::string short_text(std::optional<double> value, const std::string& unit) {
  if (!value) return "";
  if (unit == "s") return short_seconds(*value);
  return unit == "1" ? fmt::format("{:.4g}", *value) : short_number(*value);
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

// Values of parameters that differ between the two sides stand as "a / b".
void add_parameters(Table& table, const std::vector<Pair>& pairs) {
  for (const RunField& field : run_fields()) table.columns.push_back({field.name});
  table.columns.push_back({"status"});
  for (const Pair& pair : pairs) {
    std::vector<std::string> row;
    for (const RunField& field : run_fields()) {
      row.push_back(field.name == std::string("strategy")
                        ? strategy_text(pair.a.spec)
                        : both(field_text(field, pair.a.spec), field_text(field, pair.b.spec)));
    }
    row.push_back(both(name_of(pair.a.status), name_of(pair.b.status)));
    table.rows.push_back(std::move(row));
  }
}

std::string side_line(const char* name, const Side& side) {
  std::set<std::string> errors;
  for (const ComparedResult& result : side.results) errors.insert(result.outcome.model_error);
  errors.erase("");
  const std::string models = errors.empty() ? "" : fmt::format(" ({})", fmt::join(errors, "; "));
  return fmt::format("{}: {}, {} cells, {}{}\n", name, side.path, side.results.size(),
                     source_of(side), models);
}

std::string only_text(const char* name, const Side& side, const std::vector<size_t>& indices,
                      Format format) {
  if (indices.empty()) return "";
  std::vector<Pair> alone;
  for (size_t i : indices) alone.push_back({side.results[i].outcome, side.results[i].outcome});
  Table table;
  add_parameters(table, alone);
  const std::string same = fold_constant_columns(table, 1);
  return fmt::format("\nonly in {}: {} cells{}\n\n", name, indices.size(),
                     same.empty() ? "" : " (" + same + ")") +
         render(table, format);
}

std::string for_people(const Comparison& c, const std::vector<std::string>& names, Format format) {
  const std::vector<Pair> pairs = pairs_of(c);
  // Measured and simulated values never stand in columns that look alike.
  const bool labelled = source_of(c.a) != source_of(c.b) || source_of(c.a) == "simulated";
  const std::string of_a = labelled ? " A " + source_of(c.a) : " A";
  const std::string of_b = labelled ? " B " + source_of(c.b) : " B";
  Table table;
  add_parameters(table, pairs);
  const std::string folded = fold_constant_columns(table, 1);
  std::string same, absent, means;
  for (const std::string& name : names) {
    if (!present(pairs, name)) {
      absent += (absent.empty() ? "" : ", ") + name;
    } else if (same_everywhere(pairs, name)) {
      same += (same.empty() ? "" : ", ") + name;
    } else {
      table.columns.insert(table.columns.end(),
                           {{name + of_a, true}, {name + of_b, true}, {"B/A", true}});
      for (size_t i = 0; i < pairs.size(); ++i) {
        const Ratio ratio = ratio_of(pairs[i], name);
        table.rows[i].push_back(short_text(ratio.a, ratio.unit));
        table.rows[i].push_back(short_text(ratio.b, ratio.unit));
        table.rows[i].push_back(ratio.b_over_a ? fmt::format("{:.3f}x", *ratio.b_over_a) : "");
      }
      if (const auto mean = mean_ratio(pairs, name)) {
        means += fmt::format("{}{} {:.3f}x", means.empty() ? "" : ", ", name, *mean);
      }
    }
  }
  std::string text = side_line("A", c.a) + side_line("B", c.b);
  if (!folded.empty()) text += folded + "\n";
  if (!same.empty()) text += fmt::format("the same in all {} pairs: {}\n", pairs.size(), same);
  if (!absent.empty()) text += "in no pair: " + absent + "\n";
  text += "\n" + render(table, format);
  if (!means.empty()) {
    text += fmt::format("\ngeometric mean of B/A over {} pairs: {}\n", pairs.size(), means);
  }
  return text + only_text("A", c.a, c.only_a, format) + only_text("B", c.b, c.only_b, format);
}

// ---- for programs

ordered_json json_of(const std::optional<double>& value) {
  return value ? json_number(*value) : ordered_json(nullptr);
}

ordered_json cell_json(const Outcome& outcome) {
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
  ordered_json cells = ordered_json::array();
  for (size_t i : only) cells.push_back(cell_json(side.results[i].outcome));
  return {{"path", side.path},
          {"cells", side.results.size()},
          {"source", source_of(side)},
          {"only_here", cells}};
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
        {{"a", cell_json(pair.a)}, {"b", cell_json(pair.b)}, {"metrics", metrics}});
  }
  object["mean_ratio"] = ordered_json::object();
  for (const std::string& name : names) {
    if (const auto mean = mean_ratio(pairs, name)) object["mean_ratio"][name] = json_number(*mean);
  }
  return object.dump(2) + "\n";
}

std::string csv_number(const std::optional<double>& value) {
  return value ? json_number(*value).dump() : "";
}

// One row per pair, then the cells of one side alone.
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
  for (size_t i : c.only_a) add("A", &c.a.results[i].outcome, nullptr);
  for (size_t i : c.only_b) add("B", nullptr, &c.b.results[i].outcome);
  return render(table, Format::csv);
}

}  // namespace

std::string comparison_text(const Comparison& c, const std::vector<std::string>& wanted,
                            Format format) {
  std::vector<std::string> names = wanted;
  if (names.empty()) {
    const std::vector<Pair> pairs = pairs_of(c);
    for (const std::string& name : kMetrics) {
      if (present(pairs, name)) names.push_back(name);
    }
  }
  if (format == Format::json) return as_json(c, names);
  if (format == Format::csv) return as_csv(c, names);
  return for_people(c, names, format);
}

}  // namespace cpbench
