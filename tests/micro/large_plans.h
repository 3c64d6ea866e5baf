// The plans that compile and simulation are benchmarked on: 32K tokens per rank of real lengths.
#pragma once

#include <sys/resource.h>

#include <algorithm>
#include <map>
#include <string>

#include "harness/strategy/strategy.h"
#include "workloads/shapes.h"
#include "workloads/workload.h"

namespace cpbench {

inline constexpr int64_t kTokensPerRank = 32 << 10;

inline Problem problem_at(const std::string& workload, int32_t ranks) {
  Problem problem;
  problem.batch = make_packs(*find_workload(workload), {.tokens = kTokensPerRank * ranks}).front();
  problem.shape = find_shape("llama3_8b").attention;
  problem.shape.dtype = Dtype::bfloat16;
  problem.cluster = {.nodes = std::max(1, ranks / 8), .gpus_per_node = std::min(8, ranks)};
  return problem;
}

inline Plan plan_with(const std::string& name, const std::map<std::string, std::string>& options,
                      const Problem& problem) {
  const Strategy& strategy = find_strategy(name);
  return strategy.plan(problem, Options(name, strategy.options, options));
}

// Of the process, so far.
inline double peak_mebibytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

}  // namespace cpbench
