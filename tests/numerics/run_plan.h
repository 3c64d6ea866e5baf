// Compiles a plan, verifies the program, runs it on threads, and looks at everything that must
// hold.
#pragma once

#include <string>

#include "harness/execute/execute.h"
#include "harness/plan/plan.h"

namespace cpbench {

// "" if the program is sound, its numbers are right, and counted bytes equal planned bytes; else
// what is wrong.
std::string trouble_with(const Problem& problem, const Plan& plan,
                         const ExecuteOptions& options = {.warmup = 0, .iterations = 1});

Problem make_problem(std::vector<int64_t> lengths, int32_t ranks, Mask mask = {},
                     AttentionShape shape = {.query_heads = 4,
                                             .kv_heads = 4,
                                             .head_dim = 8,
                                             .value_head_dim = 8,
                                             .dtype = Dtype::float64});

}  // namespace cpbench
