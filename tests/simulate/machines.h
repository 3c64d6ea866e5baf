// Machines and problems with round numbers, on which times can be worked out by hand.
#pragma once

#include <limits>

#include "harness/compile/compile.h"
#include "harness/simulate/simulate.h"
#include "harness/strategy/test_plans.h"

namespace cpbench {

inline ClusterModel small_machine(int32_t nodes, int32_t gpus) {
  ClusterModel machine;
  machine.cluster = {.name = "small",
                     .nodes = nodes,
                     .gpus_per_node = gpus,
                     .peak_flops_per_second = 1e15,
                     .memory_bytes_per_second = 3e12,
                     .intra_node_bytes_per_second = 400e9,
                     .inter_node_bytes_per_second = 50e9};
  machine.sms = 132;
  machine.kernel_launch_seconds = 2e-6;
  machine.achieved_memory_bytes_per_second = 2.5e12;
  machine.gemm_efficiency = 0.5;
  machine.intra_node = {3e-6, 370e9};
  machine.inter_node = {8e-6, 46e9};
  machine.all_gather = {{8, 51e-6, 374e9}};
  machine.reduce_scatter = {{8, 55e-6, 362e9}};
  return machine;
}

// Only the network takes time: kernels, copies and launches take none.
inline void make_work_free(ClusterModel& machine) {
  machine.kernel_launch_seconds = 0;
  machine.achieved_memory_bytes_per_second = std::numeric_limits<double>::infinity();
}
inline KernelModel free_kernel() {
  KernelModel kernel;
  kernel.name = "free";
  kernel.gpu.sms = 132;
  return kernel;
}

// The library still executes collectives, and sums what it scatters.
inline void make_network_free(ClusterModel& machine) {
  constexpr double kInfinite = std::numeric_limits<double>::infinity();
  machine.intra_node = machine.inter_node = {0, kInfinite};
  machine.all_gather = machine.reduce_scatter = {{8, 0, kInfinite}};
}

inline Problem small_problem(const ClusterModel& machine, std::vector<int64_t> lengths) {
  Problem problem;
  problem.batch.document_lengths = std::move(lengths);
  problem.shape = {.query_heads = 16,
                   .kv_heads = 8,
                   .head_dim = 128,
                   .value_head_dim = 128,
                   .dtype = Dtype::bfloat16};
  problem.cluster = machine.cluster;
  return problem;
}

inline Timeline simulate(const Problem& problem, const Plan& plan, const Program& program,
                         const SimulatedCluster& on) {
  Simulator simulator(problem, plan, program.passes, on);
  for (const RankProgram& rank : program.ranks) simulator.add(rank);
  return simulator.run();
}

inline Timeline simulate_plan(const Problem& problem, const Plan& plan, const ClusterModel& machine,
                              const KernelModel& kernel, Passes passes = Passes::both,
                              const Profile& profile = {}) {
  return simulate(problem, plan, compile(problem, plan, passes), {machine, kernel, profile});
}

inline double makespan(const Timeline& timeline) {
  return *std::max_element(timeline.seconds.begin(), timeline.seconds.end());
}

}  // namespace cpbench
