// Runs a Schedule: ranks work through their tasks, exchanges wait for both ends, the network says
// when bytes arrive. See schedule.h for the rules; a rank's communication runs at most `lookahead`
// steps ahead of its tasks.
#pragma once

#include <vector>

#include "harness/machines/cluster_model.h"
#include "harness/machines/profile.h"
#include "harness/simulate/network.h"
#include "harness/simulate/schedule.h"

namespace cpbench {

struct Execution {
  std::vector<double> end_seconds;  // per rank, of its tasks
  std::vector<Event> events;        // by rank, then time; Activity::transfer besides the others
};

// Over `ports`.
Execution run(const Schedule& schedule, const ClusterModel& machine, const Profile& profile);
// Over any network of that machine; nothing is in flight yet.
Execution run(const Schedule& schedule, const ClusterModel& machine, const Profile& profile,
              Network& network);

}  // namespace cpbench
