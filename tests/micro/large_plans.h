// The plans of the benchmarks: 32K tokens per rank on nodes of 8 GPUs.
#pragma once

#include <sys/resource.h>

#include <algorithm>
#include <map>
#include <string>

#include "harness/strategy/strategy.h"
#include "methods/flashcp/test_batches.h"
#include "workloads/shapes.h"
#include "workloads/workload.h"

namespace cpbench {

inline constexpr int64_t kTokensPerRank = 32 << 10;

using OptionValues = std::map<std::string, std::string>;

// A pack of the random lengths of test_batches.h ("pile_like", "wlb_like"), one document
// ("one_document"), a document of half the pack among short ones ("one_giant"), or a workload.
inline Batch pack_of(const std::string& name, int64_t tokens, uint64_t seed = 1) {
  if (name == "pile_like") return flashcp::pile_like_pack(tokens, seed);
  if (name == "wlb_like") return flashcp::wlb_like_pack(tokens, seed);
  if (name == "one_document") return {.document_lengths = {tokens}};
  if (name == "one_giant") {
    Batch batch = flashcp::pile_like_pack(tokens / 2, seed);
    batch.document_lengths.insert(batch.document_lengths.begin(), tokens / 2);
    return batch;
  }
  return make_packs(*find_workload(name), {.tokens = tokens, .seed = seed}).front();
}

// A layer of Llama 3 8B in bfloat16.
inline Problem problem_at(const std::string& pack, int32_t ranks, uint64_t seed = 1) {
  Problem problem;
  problem.batch = pack_of(pack, kTokensPerRank * ranks, seed);
  problem.shape = find_shape("llama3_8b").attention;
  problem.shape.dtype = Dtype::bfloat16;
  problem.cluster = {.nodes = std::max(1, ranks / 8), .gpus_per_node = std::min(8, ranks)};
  return problem;
}

inline Plan plan_with(const std::string& name, const OptionValues& options,
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
