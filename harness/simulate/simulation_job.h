// What cpbench sends to the program cpbench-simgrid, and what that program answers. Both messages
// are JSON in its binary form CBOR, in which every number is exact. A struct is the array of its
// fields, and a list of structs is the array of its columns, because a schedule has millions of
// rows. This is not a file format: both programs come from one build.
//
//   std::string bytes = job_bytes(schedule, cluster, profile);    // in cpbench
//   SimulationJob job = parse_job(bytes);                         // in cpbench-simgrid
//   std::string answer = execution_bytes(run(...));               // in cpbench-simgrid
//   Execution execution = parse_execution(answer, ranks);         // in cpbench
#pragma once

#include <string>

#include "harness/simulate/engine.h"

namespace cpbench {

// Of cluster and profile, only what the engine uses is sent: links, collective fits and SMs;
// reserved SMs, the barrier and the host's times.
struct SimulationJob {
  Schedule schedule;
  ClusterModel machine;
  Profile profile;
  Portion portion = Portion::whole;
};

std::string job_bytes(const Schedule& schedule, const ClusterModel& machine, const Profile& profile,
                      Portion portion = Portion::whole);
std::string execution_bytes(const Execution& execution);

// Both throw UserError, in one line, for bytes that are not such a message and for an index out of
// range.
SimulationJob parse_job(const std::string& bytes);
Execution parse_execution(const std::string& bytes, int32_t ranks);

}  // namespace cpbench
