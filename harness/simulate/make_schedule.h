// Combines the priced ranks into a Schedule: every message gets its other end, its exchange and its
// collective.
#pragma once

#include <vector>

#include "harness/simulate/price.h"
#include "harness/simulate/schedule.h"

namespace cpbench {

// All-gathers and reduce-scatters are calls of the library if the profile uses them. If the profile
// has multicasts per node, one receiver on each other node passes them on.
Schedule make_schedule(const Plan& plan, std::vector<PricedRank> priced, const Profile& profile,
                       const Cluster& cluster);

}  // namespace cpbench
