// Combines the priced ranks into a Schedule: every message gets its other end, its exchange and its
// collective.
#pragma once

#include <vector>

#include "harness/simulate/price.h"
#include "harness/simulate/schedule.h"

namespace cpbench {

// Collectives are used only if the cluster has a fit for them and the profile uses library
// collectives.
Schedule make_schedule(const Plan& plan, std::vector<PricedRank> priced,
                       const ClusterModel& machine, const Profile& profile);

}  // namespace cpbench
