// What another program needs to run a Schedule, and what it answers, as text: the form in which
// cpbench and cpbench-simgrid talk. Not a format to keep: both come from one build.
//
//   cpbench-schedule 1
//   cluster 1 8 132                            nodes, GPUs per node, SMs
//   ...                                        links, collectives' fits, profile, the schedule
//   end
#pragma once

#include <string>
#include <string_view>

#include "harness/simulate/engine.h"

namespace cpbench {

struct SimulationJob {
  Schedule schedule;
  ClusterModel machine;  // links and fits; what only pricing reads is not told
  Profile profile;       // reserved SMs and barrier
};

std::string job_text(const Schedule& schedule, const ClusterModel& machine, const Profile& profile);
// Every index is checked. Throws UserError with the line and what would be right.
SimulationJob parse_job(std::string_view text);

std::string execution_text(const Execution& execution);
Execution parse_execution(std::string_view text, int32_t ranks);

}  // namespace cpbench
