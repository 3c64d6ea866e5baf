// Problems and verdicts in one line, for tests of every folder.
//
//   problem_of({100, 29, 1}, 8)                              // one node of 8 GPUs
//   problem_of({64}, {2, 4}, {16, 2})                        // 2 nodes of 4 GPUs; 16 query heads
//   problem_of(batch_of({61, 7}, Mask::sliding_window, 5), 3)
//   EXPECT_EQ(violations(problem, plan), "");
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "harness/plan/check.h"
#include "harness/plan/problem.h"

namespace cpbench {

// Nodes x GPUs per node; a plain number is the GPUs of one node.
struct Ranks {
  Ranks(int32_t gpus) : gpus_per_node(gpus) {}
  Ranks(int32_t nodes, int32_t gpus) : nodes(nodes), gpus_per_node(gpus) {}
  int32_t nodes = 1;
  int32_t gpus_per_node = 1;
};

// The window, in tokens, applies only to masks that have one.
inline Batch batch_of(std::vector<int64_t> document_lengths, Mask mask, int64_t window) {
  return {std::move(document_lengths), mask, has_window(mask) ? window : 0, {}};
}

// The default shape has 8 query heads and 8 KV heads of 64 elements in float32. The speeds of the
// cluster are unknown (0).
inline Problem problem_of(Batch batch, Ranks ranks, AttentionShape shape = {}) {
  Problem problem{std::move(batch), shape, {}};
  problem.cluster.nodes = ranks.nodes;
  problem.cluster.gpus_per_node = ranks.gpus_per_node;
  return problem;
}
inline Problem problem_of(std::vector<int64_t> document_lengths, Ranks ranks,
                          AttentionShape shape = {}) {
  return problem_of(Batch{std::move(document_lengths)}, ranks, shape);
}

// What the checker says, one violation per line; "" if the plan is correct.
inline std::string violations(const Problem& problem, const Plan& plan,
                              Passes passes = Passes::both) {
  std::string text;
  for (const Violation& v : check(problem, plan, passes).violations) text += v.text() + "\n";
  return text;
}

}  // namespace cpbench
