// Puts the priced ranks together: every message gets its other end, its exchange, its collective.
#pragma once

#include <vector>

#include "harness/simulate/price.h"
#include "harness/simulate/schedule.h"

namespace cpbench {

// The tag of a collective counts only where the machine has a fit for it and the profile uses it.
Schedule make_schedule(const Plan& plan, std::vector<PricedRank> priced,
                       const ClusterModel& machine, const Profile& profile);

}  // namespace cpbench
