// The Result: what was asked of one run and what came out. Plain data; `store` writes it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "harness/measure/plan_summary.h"
#include "harness/plan/names.h"
#include "harness/plan/plan.h"
#include "harness/plan/problem.h"
#include "harness/spec/run_spec.h"
#include "harness/timeline/timeline.h"

namespace cpbench {

enum class Status : uint8_t { ok, oom, unsupported, failed };
template <>
std::span<const char* const> enum_names<Status>();

struct PackResult {
  Batch batch;
  Plan plan;
  PlanSummary summary;
  double planning_seconds = 0;
  double check_seconds = 0;
  double compile_seconds = 0;
  Timeline timeline;  // of threads or a simulation; else empty
};

struct MetricValue {
  std::string name;
  double value = 0;
  std::string unit;
  std::string better;  // "higher", "lower", "none"
  std::string description;
  int32_t definition_version = 1;
};

struct Result {
  RunSpec spec;
  Status status = Status::ok;
  std::string error;                 // one line; "" when ok
  bool oversubscribed = false;       // more ranks than cores, or than GPUs: no MFU
  double peak_flops_per_second = 0;  // per rank, that MFU refers to; 0: none
  Cluster cluster;                   // that the plans were made for, unless the run names none
  bool simulated = false;            // times are of a model, and no tensor was computed
  std::string model;                 // of a simulation: fingerprint of all numbers it costs by
  std::string model_error;           // of the model as last calibrated, for people; "" if measured
  std::vector<PackResult> packs;
  std::vector<MetricValue> metrics;
  std::map<std::string, std::string> provenance;  // key -> text, see results/SCHEMA.md
};

}  // namespace cpbench
