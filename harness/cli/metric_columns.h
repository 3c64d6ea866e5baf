// How tables for people show a metric: one row each for those that every sweep is asked about.
#pragma once

#include <string>
#include <vector>

#include "harness/cli/table.h"
#include "harness/run/outcome.h"

namespace cpbench {

struct MetricColumn {
  std::string metric;  // its name, and the key of the column
  std::string heading;
  int importance = 1;                       // on a terminal; of the fields of a run it is 9
  std::string (*text)(double) = nullptr;    // nullptr: with the unit of the metric
  std::string ratio{};                      // heading of its ratio to the baseline; "": it has none
  bool (*shown)(const Outcome&) = nullptr;  // unless it is asked for, only if it is so for a run
};

inline constexpr int kFieldImportance = 9;  // of what tells runs apart

const std::vector<MetricColumn>& metric_columns();

// The row of the metric, or one with its name as heading for any other. Throws UserError with the
// nearest name if there is no such metric.
MetricColumn metric_column(const std::string& metric);

// The value as the column shows it.
std::string value_text(const MetricColumn& column, double value);

}  // namespace cpbench
