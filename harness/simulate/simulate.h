// Simulation: the program that the executors run, costed on a machine. No clock, no GPU.
//
//   Timeline timeline = simulate(problem, plan, program, {machine, kernel, profile});
//   timeline.seconds[rank], timeline.events
//
// What it takes into account: each kernel call by its segments (harness/cost), copies and merges by
// their bytes, exchanges with their order, their waiting for both ends and the sharing of links
// (schedule.h, ports.h), collectives by the library's fits (collectives.h). What it leaves out:
// allocation, the other streams of a training step, noise.
#pragma once

#include <cstdint>

#include "harness/compile/program.h"
#include "harness/cost/kernel_time.h"
#include "harness/cost/machine.h"
#include "harness/cost/profile.h"
#include "harness/plan/plan.h"
#include "harness/timeline/timeline.h"

namespace cpbench {

enum class NetworkModel : uint8_t {
  ports,    // ports.h
  simgrid,  // run_simgrid.h; UserError where its program is missing
};

struct SimulatedMachine {
  const Machine& machine;  // of as many ranks as the plan
  const KernelModel& kernel;
  const Profile& profile;
  NetworkModel network = NetworkModel::ports;
};

// `program` is that of `plan`. One iteration, traced; its bytes are those of the program's
// messages.
Timeline simulate(const Problem& problem, const Plan& plan, const Program& program,
                  const SimulatedMachine& on);

}  // namespace cpbench
