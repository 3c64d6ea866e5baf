// What cpbench sends to the program cpbench-simgrid, and what that program answers. Both messages
// are JSON in its binary form CBOR, in which every number is exact; a struct is the array of its
// fields, because a schedule has millions of rows. This is not a file format: both programs come
// from one build.
//
//   std::string bytes = job_bytes(schedule, cluster, profile);    // in cpbench
//   SimulationJob job = parse_job(bytes);                         // in cpbench-simgrid
//   std::string answer = execution_bytes(run(...));               // in cpbench-simgrid
//   Execution execution = parse_execution(answer, ranks);         // in cpbench
#pragma once

#include <string>

#include "harness/simulate/engine.h"

namespace cpbench {

struct SimulationJob {
  Schedule schedule;
  ClusterModel
      machine;      // only links, collective fits and SMs; what prices were made of is not sent
  Profile profile;  // only reserved SMs and the barrier
};

std::string job_bytes(const Schedule& schedule, const ClusterModel& machine,
                      const Profile& profile);
std::string execution_bytes(const Execution& execution);

// Both throw UserError for bytes that are not such a message, for a row or rank that does not
// exist, and for a time or rate that is negative or not finite.
SimulationJob parse_job(const std::string& bytes);
Execution parse_execution(const std::string& bytes, int32_t ranks);

}  // namespace cpbench
