// The Result of one run: what was requested, and what came out. Plain data; harness/store writes
// it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/measure/plan_summary.h"
#include "harness/plan/names.h"
#include "harness/plan/plan.h"
#include "harness/plan/problem.h"
#include "harness/plan/reported_value.h"
#include "harness/spec/run_spec.h"
#include "harness/timeline/timeline.h"

namespace cpbench {

enum class Status : uint8_t { ok, oom, unsupported, failed };
template <>
std::span<const char* const> enum_names<Status>();

// With several masks on one layout, each pack is there once per mask.
struct PackResult {
  Batch batch;
  double layers = 1;  // of the model that have the pack's mask: its weight in sums over packs
  Plan plan;
  PlanSummary summary;
  std::vector<ReportedValue> properties{};  // of the plan, as the strategy itself reports them
  double planning_seconds = 0;
  double check_seconds = 0;
  double compile_seconds = 0;
  double simulation_seconds = 0;  // CPU time, after compiling; 0: not simulated
  // To create a communicator for each group of ranks (communication_groups.h) that no pack before
  // had, on the slowest rank; none where it was not measured.
  std::optional<double> communicator_seconds{};
  Timeline timeline;  // of an execution or a simulation; else empty
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
  std::string error;                 // one line; "" if ok
  bool oversubscribed = false;       // there are more ranks than cores or GPUs, so there is no MFU
  double peak_flops_per_second = 0;  // per rank, to which MFU is relative; 0: none
  Cluster cluster;                   // for which plans were made, if the run names one
  bool simulated = false;            // times come from a model, and no tensor was computed
  std::string model;                 // of a simulation: fingerprint of all numbers of its models
  std::string model_error;           // its models and how far they are off, for people
  std::vector<PackResult> packs;
  std::vector<MetricValue> metrics;
  std::map<std::string, std::string> provenance;  // key -> text, see results/SCHEMA.md
};

}  // namespace cpbench
