// The metrics: a table of name, unit, description and function. `cpbench list metrics`, result
// files, tables and JSON follow from it.
//
//   Result result = ...;                       // with its packs
//   result.metrics = evaluate_metrics(result);
//
// Conventions. Quantities that add up (FLOPs, bytes, steps, seconds) are sums over the packs of the
// run. An imbalance is the sum over packs of the maximum over ranks, divided by the sum over packs
// of the mean, because packs run one after another. Memory and errors are maxima over packs. The
// time of an iteration is the maximum over ranks, summed over packs; the metric is the median over
// iterations. FLOPs: each visible (query, key, query head) triple costs 2 D (scores) + 2 Dv
// (output) forward; backward costs 2.5 times that, including the recomputation of the scores
// (`flop_convention`).
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
  std::optional<double> (*value)(const Result& result) = nullptr;  // nullopt if it does not apply
  int32_t definition_version = 1;  // increased when new numbers are not comparable with old ones
};

const std::vector<Metric>& metrics();
// Throws UserError with the nearest name for an unknown one.
const Metric& find_metric(const std::string& name);

// The metrics that apply to this result, in the order of the table.
std::vector<MetricValue> evaluate_metrics(const Result& result);
std::optional<double> metric_value(const Result& result, const std::string& name);

extern const char* const kFlopConvention;

}  // namespace cpbench
