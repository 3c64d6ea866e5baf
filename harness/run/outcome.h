// What a table, a JSON object or a CSV row says about one run: the result without its bulk.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "harness/measure/result.h"

namespace cpbench {

struct Outcome {
  RunSpec spec;
  Status status = Status::ok;
  std::string error;
  std::string file;      // "" if nothing was written
  bool existed = false;  // from an earlier sweep
  bool oversubscribed = false;
  bool simulated = false;   // times are of a model
  std::string model_error;  // of that model
  std::string plan_hash;    // 16 hex digits per pack, joined by '+'
  std::vector<MetricValue> metrics;
  std::vector<ReportedValue> properties;  // that the strategy reports: means over packs
  double core_seconds = 0;  // of a dry run: what planning, checking and simulating it takes a core

  const double* metric(const std::string& name) const;  // nullptr if the run has none of that name
  const ReportedValue* property(const std::string& name) const;  // the same
};

Outcome outcome_of(const Result& result, const std::string& file, bool existed);

// "cpbench run --strategy ring --workload pile ...": the command that repeats this run.
std::string command_of(const RunSpec& spec);

}  // namespace cpbench
