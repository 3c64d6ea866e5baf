// The Result: one cell of a sweep, what was asked, what came out. Plain data; `store` writes it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "harness/measure/plan_facts.h"
#include "harness/plan/check.h"
#include "harness/plan/plan.h"
#include "harness/plan/problem.h"
#include "harness/timeline/timeline.h"

namespace cpbench {

enum class Status : uint8_t { ok, oom, unsupported, failed };
const char* name_of(Status status);

// What identifies a run. Two cells with the same values are the same run.
struct Cell {
  std::string strategy;                        // "flashcp", or "exec:PROGRAM"
  std::map<std::string, std::string> options;  // of the strategy, only what differs from defaults
  std::string workload;                        // name of a length set, a distribution, or a file
  std::string packing;
  int64_t tokens = 0;  // per pack
  int32_t packs = 1;
  int32_t ranks = 1;
  int32_t nodes = 1;
  std::string cluster;            // name or file of the cluster that costs refer to; "" for none
  std::string network = "ports";  // of a simulation: how transfers share links
  std::string profile = "ideal";  // of a simulation: what the implementation costs
  std::string shape_name;
  AttentionShape shape;  // with the dtype
  Mask mask = Mask::document_causal;
  int64_t window = 0;
  double cached = 0;    // share of each document that is cached, in [0, 1)
  std::string backend;  // "plan", "threads", "simulate", ...
  std::string kernel;   // of the backend; "" for plan
  bool graph = false;   // of nccl: samples are CUDA graphs
  Passes passes = Passes::both;
  int32_t warmup = 0;
  int32_t iterations = 0;
  uint64_t seed = 1;
};

// One `key=value` per line, sorted, stable: what the run id is the hash of. `cached`, `cluster`,
// `network`, `profile` and `graph` stand there only if they are not the default.
std::string canonical_text(const Cell& cell);
std::string run_id(const Cell& cell);  // 16 hex digits

struct PackResult {
  Batch batch;
  Plan plan;
  PlanFacts facts;
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
  Cell cell;
  Status status = Status::ok;
  std::string error;                 // one line; "" when ok
  bool oversubscribed = false;       // more ranks than cores, or than GPUs: no MFU
  double peak_flops_per_second = 0;  // per rank, that MFU refers to; 0: none
  Cluster cluster;                   // that the plans were made for, unless the cell names none
  bool simulated = false;            // times are of a model, and no tensor was computed
  std::string model;                 // of a simulation: fingerprint of all numbers it costs by
  std::string model_error;           // of the model as last calibrated, for people; "" if measured
  std::vector<PackResult> packs;
  std::vector<MetricValue> metrics;
  std::map<std::string, std::string> provenance;  // key -> text, see results/SCHEMA.md
};

}  // namespace cpbench
