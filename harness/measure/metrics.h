// The metrics: a table of name, unit, meaning and function. `list metrics`, result files, tables
// and JSON all follow from it.
//
//   Result result = ...;                       // packs filled in
//   result.metrics = evaluate_metrics(result);
//
// Conventions. What adds up (FLOPs, bytes, steps, seconds) is the sum over the packs of the cell;
// an imbalance is the sum over packs of the maximum over the sum of the mean, because packs run one
// after another; memory and errors are the maximum over packs. A time of one iteration is the
// maximum over ranks, summed over packs; what is reported is the median over iterations.
// FLOPs: each visible (query, key, head) triple costs 2 D (scores) + 2 Dv (output) forward;
// backward is 2.5 times that, recomputation of the scores included (`flop_convention`).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "harness/measure/result.h"

namespace cpbench {

struct Metric {
  std::string name;
  std::string unit;    // "bytes", "s", "1" for ratios
  std::string better;  // "higher", "lower", "none"
  std::string description;
  int32_t definition_version = 1;  // raised when numbers stop being comparable
  std::optional<double> (*value)(const Result& result) = nullptr;  // nullopt: does not apply
};

const std::vector<Metric>& metrics();
// Throws UserError with the nearest name.
const Metric& find_metric(const std::string& name);

// The metrics that apply to this result, in the order of the table.
std::vector<MetricValue> evaluate_metrics(const Result& result);
std::optional<double> metric_value(const Result& result, const std::string& name);

extern const char* const kFlopConvention;

}  // namespace cpbench
