#include "harness/cli/metric_columns.h"

#include <fmt/format.h>

#include <algorithm>

#include "harness/cli/human.h"
#include "harness/measure/metrics.h"

namespace cpbench {
namespace {

std::string imbalance(double value) { return fmt::format("{:.3f}", value); }
std::string scientific(double value) { return fmt::format("{:.1e}", value); }
std::string flops(double tera) { return short_number(tera * 1e12); }

bool has_nodes(const Outcome& outcome) { return outcome.spec.nodes > 1; }
bool has_layer(const Outcome& outcome) { return outcome.metric("module_mfu"); }
bool plans_slowly(const Outcome& outcome) {
  constexpr double kShare = 0.1;
  const double* iteration = outcome.metric("iteration_seconds");
  const double* planning = outcome.metric("planning_seconds");
  return iteration && planning && *planning > kShare * *iteration;
}

}  // namespace

const std::vector<MetricColumn>& metric_columns() {
  static const std::vector<MetricColumn> columns = {
      {"iteration_seconds", "time", 8, short_seconds, "speed"},
      {"attention_seconds", "time in attention", 5, short_seconds, "", has_layer},
      {"planning_seconds", "planning", 4, short_seconds, "", plans_slowly},
      {"tflops_per_rank", "FLOP/s per rank", 3, flops},
      {"mfu", "MFU", 6, percent},
      {"module_mfu", "MFU with layer", 6, percent},
      {"wire_bytes", "bytes", 7, short_bytes, "bytes"},
      {"inter_node_bytes", "inter-node bytes", 7, short_bytes, "", has_nodes},
      {"compute_imbalance", "compute max/mean", 5, imbalance},
      {"token_imbalance", "tokens max/mean", 2, imbalance},
      {"steps", "steps", 1, short_number},
      {"peak_bytes", "peak bytes", 4, short_bytes},
      {"max_error_output", "error O", 2, scientific},
      {"max_error_gradient", "error grad", 2, scientific},
  };
  return columns;
}

MetricColumn metric_column(const std::string& metric) {
  const auto& columns = metric_columns();
  const auto found = std::ranges::find(columns, metric, &MetricColumn::metric);
  return found != columns.end() ? *found : MetricColumn{find_metric(metric).name, metric};
}

std::string value_text(const MetricColumn& column, double value) {
  return column.text ? column.text(value) : with_unit(value, find_metric(column.metric).unit);
}

}  // namespace cpbench
