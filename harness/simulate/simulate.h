// Simulation: the program that the executors run, costed on a machine. No clock, no GPU.
//
//   Simulator simulator(problem, plan, Passes::both, {machine, kernel, profile});
//   const Compiler compiler(problem, plan, Passes::both, simulator.detail());
//   for (int32_t rank = 0; rank < plan.ranks; ++rank) simulator.add(compiler.rank(rank));
//   Timeline timeline = simulator.run();   // timeline.seconds[rank], timeline.events
//
// Ranks are added one by one, so that no more than one rank's program need be in memory.
//
// What it takes into account: each kernel call by its segments (harness/cost), copies and merges by
// their bytes, exchanges with their order, their waiting for both ends and the sharing of links
// (schedule.h, ports.h), collectives by the library's fits (collectives.h). What it leaves out:
// allocation, the other streams of a training step, noise.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "harness/compile/compile.h"
#include "harness/cost/kernel_time.h"
#include "harness/machines/cluster_model.h"
#include "harness/machines/profile.h"
#include "harness/plan/plan.h"
#include "harness/simulate/price.h"
#include "harness/timeline/timeline.h"

namespace cpbench {

enum class NetworkModel : uint8_t {
  ports,    // ports.h
  simgrid,  // run_simgrid.h; UserError where its program is missing
};

struct SimulatedCluster {
  const ClusterModel& machine;  // of as many ranks as the plan
  const KernelModel& kernel;
  const Profile& profile;
  NetworkModel network = NetworkModel::ports;
};

class Simulator {
 public:
  // All must outlive it.
  Simulator(const Problem& problem, const Plan& plan, Passes passes, const SimulatedCluster& on);

  // What it reads of programs: an outline, unless copies cost by the run.
  Detail detail() const;
  // Programs of the plan, of rank 0, 1, ..., in that detail or more.
  // `measured`: seconds of each operation but messages, which need no kernel model then.
  void add(const RankProgram& program, std::span<const double> measured = {});
  // After all ranks, once. One iteration, traced; its bytes are those of the programs' messages.
  Timeline run();

 private:
  void count_messages(const RankProgram& program);

  const AttentionShape& shape_;
  const Plan& plan_;
  Passes passes_;
  SimulatedCluster on_;
  std::vector<PricedRank> priced_;
  Timeline timeline_;
};

}  // namespace cpbench
