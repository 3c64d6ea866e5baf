// Puts the priced ranks together: every message gets its other end, its exchange, its collective.
#pragma once

#include <vector>

#include "harness/simulate/price.h"
#include "harness/simulate/schedule.h"

namespace cpbench {

// `collectives_as_messages`: tags are ignored.
Schedule make_schedule(const Plan& plan, std::vector<PricedRank> priced,
                       bool collectives_as_messages);

}  // namespace cpbench
