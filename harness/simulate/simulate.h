// Simulates the program that the executors run on a model of a cluster, without clocks or GPUs.
//
//   Simulator simulator(problem, plan, Passes::both, {cluster, kernel, profile});
//   const Compiler compiler(problem, plan, Passes::both, simulator.detail());
//   for (int32_t rank = 0; rank < plan.ranks; ++rank) simulator.add(compiler.rank(rank));
//   Timeline timeline = simulator.run();   // timeline.seconds[rank], timeline.events
//
// Ranks are added one by one, so that only one rank's program must be in memory.
//
// The simulation includes each kernel call by its segments (harness/cost), copies and merges by
// their bytes, exchanges with their order, their waiting for both ends and the sharing of links
// (schedule.h, ports.h), and the library's collectives in closed form (collectives.h). It does
// not include allocation, other streams of a training step, or noise.
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
  simgrid,  // run_simgrid.h; throws UserError if its program is missing
};

struct SimulatedCluster {
  const ClusterModel& machine;  // with as many ranks as the plan
  const KernelModel& kernel;
  const Profile& profile;
  NetworkModel network = NetworkModel::ports;
};

class Simulator {
 public:
  // All arguments must outlive the Simulator.
  Simulator(const Problem& problem, const Plan& plan, Passes passes, const SimulatedCluster& on);

  Detail detail() const;  // how much of a program it reads
  // The programs of rank 0, 1, ... of the plan, with that detail or more. `measured` has the
  // seconds of each operation except messages; then no kernel model is used.
  void add(const RankProgram& program, std::span<const double> measured = {});
  // To be called once, after all ranks were added. The Timeline has one traced iteration and the
  // times of its portions; its bytes are those of the programs' messages.
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
