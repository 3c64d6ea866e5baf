// The RunSpec: what a user asks for in one run of a sweep, and what identifies the run.
// run_fields.h has the list of its fields.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "harness/plan/check.h"
#include "harness/plan/problem.h"

namespace cpbench {

// Two specs with the same values are the same run. Fields that have no meaning for a run are empty
// or 0.
struct RunSpec {
  std::string strategy;  // "flashcp", or "exec:PROGRAM"
  std::map<std::string, std::string>
      options;           // of the strategy, only those that differ from defaults
  std::string workload;  // name of a length set, a distribution, or a file
  std::string packing;
  int64_t tokens = 0;  // per pack
  int32_t packs = 1;
  int32_t ranks = 1;
  int32_t nodes = 1;
  std::string cluster;  // name or file of the cluster to simulate, or to plan for; "" for none
  std::string shape_name;
  AttentionShape shape;  // with the dtype, and of its layer only what `layer` names
  std::string layer;     // "attention", "module", "layer"; "": see run_fields.cc
  Mask mask = Mask::document_causal;
  int64_t window = 0;
  // Several masks that share one layout, with their layers: "document_causal*10+chunked:1K*52"; the
  // first is also in `mask` and `window`. "" for a single mask.
  std::string masks;
  std::string plan_for;  // which of several masks the layout balances: "sum"; "" for the first
  double cached = 0;     // share of each document that is cached, in [0, 1), or tokens of each
  Passes passes = Passes::both;
  std::string backend;  // "plan", "threads", "simulate", ...
  std::string kernel;   // of the backend; "" for plan
  std::string network;  // of a simulation: how transfers share links
  std::string profile;  // of a simulation: what the implementation costs
  int32_t warmup = 0;
  int32_t iterations = 0;
  bool graph = false;                  // of nccl and cuda: samples are CUDA graphs
  int32_t min_ctas = 0, max_ctas = 0;  // of nccl: thread blocks of an exchange; 0: as NCCL chooses
  std::string cta_policy;              // of nccl: how NCCL chooses; "" for its default
  int32_t sm_margin = 0;               // SMs that attention kernels on GPUs leave free
  uint64_t seed = 1;
  // Hash of what the names above stood for when the run was resolved: document lengths, and the
  // contents of cluster, kernel model, profile and planner. "" before, and in files of schema 1.3.
  std::string inputs;

  bool operator==(const RunSpec&) const = default;
};

// Every field by the name that it has in files, in a text that reads back to the same value.
std::map<std::string, std::string> stored_fields(const RunSpec& spec);
// Throws UserError that names the field which is missing or has no valid value. Fields that older
// files do not have keep their defaults; others in the map are not looked at.
RunSpec spec_of(const std::map<std::string, std::string>& fields);

// One `name=value` per line, sorted, stable: what the run id is the hash of.
std::string canonical_text(const RunSpec& spec);
std::string run_id(const RunSpec& spec);  // 16 hex digits

// The same computation, whatever it runs on: equal for specs that differ only in how they are run
// (backend, cluster, kernel, iterations).
std::string computation_key(RunSpec spec);
// The same problem, run in the same way: equal for specs that differ only in the strategy.
std::string problem_key(RunSpec spec);

// "a=1,b=2", sorted; commas, equals signs and backslashes in values are escaped.
std::string options_text(const std::map<std::string, std::string>& options);
std::string strategy_text(const RunSpec& spec);  // "flashcp:ratio=1.2"

}  // namespace cpbench
