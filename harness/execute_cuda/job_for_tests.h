// A small run on GPUs for tests: a rank per GPU, or all on the first one.
#pragma once

#include <numeric>

#include "harness/execute/program_for_tests.h"
#include "harness/execute_cuda/gpu_run.h"

namespace cpbench {

inline Problem problem_for_tests(int32_t ranks) {
  Problem problem;
  problem.batch.document_lengths = {40, 24};
  problem.shape = {.query_heads = 2,
                   .kv_heads = 1,
                   .head_dim = 8,
                   .value_head_dim = 8,
                   .dtype = Dtype::float64,
                   .attention_sinks = true};
  problem.cluster.gpus_per_node = ranks;
  return problem;
}

struct JobForTests {
  explicit JobForTests(int32_t ranks) : JobForTests(problem_for_tests(ranks)) {}
  explicit JobForTests(const Problem& given)
      : problem(given),
        plan(plan_of(problem)),
        program(compile(problem, plan, Passes::both)),
        reference(compute_reference(problem.batch, problem.shape, options.seed, Passes::both,
                                    *make_reference_kernel())),
        all_ranks(problem.ranks()) {
    std::iota(all_ranks.begin(), all_ranks.end(), 0);
  }

  // The ranks of this process, on these devices.
  std::vector<RankReport> run(const GpuKernel& kernel, DeviceTransport& transport,
                              const RanksOfProcess& ranks, ProcessGroup* group = nullptr) const {
    const std::vector<Gpu> gpus(all_ranks.size());
    const GpuJob job{.problem = problem,
                     .plan = plan,
                     .program = program,
                     .options = options,
                     .reference = reference,
                     .ranks = ranks,
                     .group = group};
    return run_on_gpus({job, kernel, transport, gpus, Clocks()});
  }

  Problem problem;
  Plan plan;
  Program program;
  ExecuteOptions options;
  Reference reference;
  std::vector<int32_t> all_ranks;
};

}  // namespace cpbench
