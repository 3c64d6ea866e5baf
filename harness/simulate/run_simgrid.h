// Runs a Schedule over the `simgrid` network. The program cpbench-simgrid does it: it runs the same
// rules as run() of engine.h, from which it is built, over SimGrid's links (simgrid/).
//
//   Execution execution = run_simgrid(schedule, cluster, profile, simgrid_program());
#pragma once

#include <string>

#include "harness/simulate/engine.h"

namespace cpbench {

// The path of cpbench-simgrid, next to the running program or on PATH. Throws UserError that names
// the package to install.
std::string simgrid_program();

// `machine` has as many ranks as the schedule. Throws UserError for a mesh or pooled NICs, and if
// the program cannot be started, std::runtime_error with its message if it fails.
Execution run_simgrid(const Schedule& schedule, const ClusterModel& machine, const Profile& profile,
                      const std::string& program, Portion portion = Portion::whole);

}  // namespace cpbench
