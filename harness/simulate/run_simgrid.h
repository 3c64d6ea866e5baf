// Runs a Schedule over the `simgrid` network, in the program cpbench-simgrid: the same rules as
// run() of engine.h, which it is built from, over SimGrid's links (simgrid/).
//
//   Execution execution = run_simgrid(schedule, machine, profile, simgrid_program());
#pragma once

#include <string>

#include "harness/simulate/engine.h"

namespace cpbench {

// cpbench-simgrid beside the running program, else on PATH. Throws UserError that names the package
// it needs.
std::string simgrid_program();

// `machine` is of as many ranks as the schedule. Throws UserError if the program cannot be started,
// std::runtime_error with its message if it fails.
Execution run_simgrid(const Schedule& schedule, const ClusterModel& machine, const Profile& profile,
                      const std::string& program);

}  // namespace cpbench
