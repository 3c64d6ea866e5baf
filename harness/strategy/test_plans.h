// What tests of strategies share: problems and plans in one line, and planned bytes.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "harness/plan/plan.h"
#include "harness/plan/plan_bytes.h"
#include "harness/plan/problem.h"
#include "harness/strategy/strategy.h"

namespace cpbench::test_plans {

// float32, head dim 64, one node.
inline Problem problem_of(std::vector<int64_t> document_lengths, int32_t ranks,
                          int32_t query_heads = 8, int32_t kv_heads = 8) {
  Problem problem;
  problem.batch.document_lengths = std::move(document_lengths);
  problem.shape.query_heads = query_heads;
  problem.shape.kv_heads = kv_heads;
  problem.cluster.gpus_per_node = ranks;
  return problem;
}

inline Plan plan_of(const std::string& strategy, const Problem& problem,
                    const std::map<std::string, std::string>& set = {}) {
  const Strategy& s = find_strategy(strategy);
  return s.plan(problem, Options(s.name, s.options, set));
}

// All bytes that cross between ranks in one pass, padding included.
inline int64_t planned_bytes(const Pass& pass, const Plan& plan, const AttentionShape& shape) {
  int64_t bytes = 0;
  for (const Send& send : pass.sends) bytes += cost_of(send, pass, plan, shape).total();
  return bytes;
}

// Of both passes.
inline int64_t planned_bytes(const Plan& plan, const AttentionShape& shape) {
  return planned_bytes(plan.forward, plan, shape) + planned_bytes(plan.backward, plan, shape);
}

}  // namespace cpbench::test_plans
