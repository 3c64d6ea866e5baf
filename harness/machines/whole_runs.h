// How far simulated times of whole runs are off from published measurements of such runs. The
// errors are in errors/whole_runs.toml, which scripts/whole_run_errors writes from
// results/reproduced.
//
//   whole_run_error({.strategy = "ring", .cluster = "h100", .profile = "ideal", .ranks = 64,
//                    .nodes = 8, .documents = true})
//   // "whole runs of kind ring on documents: mean error 32%, worst 53%; no published run with
//   //  more than 8 ranks; no published run on several nodes"
#pragma once

#include <cstdint>
#include <string>

#include "harness/plan/problem.h"

namespace cpbench {

struct SimulatedRun {
  std::string strategy;
  std::string cluster;
  std::string profile;
  int32_t ranks = 1;
  int32_t nodes = 1;
  Mask mask = Mask::document_causal;
  bool documents = false;  // a pack has several of them
};

// For people: the error of runs of the same kind, and in words what no published run has in common
// with this one.
std::string whole_run_error(const SimulatedRun& run);

// The mean error that such a text states, 0.32 for "mean error 32%". Where it states none, because
// no such run was published, the largest mean error of any kind of runs.
double mean_error_of(const std::string& text);

}  // namespace cpbench
