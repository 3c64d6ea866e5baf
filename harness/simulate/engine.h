// Runs a Schedule by the rules in schedule.h: ranks work through their tasks, exchanges wait for
// both ends, and the network says when bytes arrive. The communication of a rank is at most
// `lookahead` steps ahead of its tasks.
#pragma once

#include <vector>

#include "harness/machines/cluster_model.h"
#include "harness/machines/profile.h"
#include "harness/simulate/network.h"
#include "harness/simulate/schedule.h"

namespace cpbench {

struct Execution {
  std::vector<double> end_seconds;  // by rank: the end of its last task
  std::vector<Event> events;        // by rank, then by time; those of Activity::transfer come last
};

// Over the network `ports`; if only work takes time, over one in which messages take none.
Execution run(const Schedule& schedule, const ClusterModel& machine, const Profile& profile,
              Portion portion = Portion::whole);
// Over any network of that cluster, in which nothing is in flight.
Execution run(const Schedule& schedule, const ClusterModel& machine, const Profile& profile,
              Network& network, Portion portion = Portion::whole);

}  // namespace cpbench
