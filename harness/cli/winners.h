// Of many runs, the fastest strategy of each problem: the table behind the atlas.
#pragma once

#include <string>
#include <vector>

#include "harness/cli/table.h"
#include "harness/run/outcome.h"

namespace cpbench {

// One row per problem that has times: the winner with its options, the problem, the strategies that
// are tied with it (run/places.h), its time per pack, how much longer the best strategy that is not
// tied takes, and how many strategies have a time. For CSV and JSON numbers are complete.
Table winners_table(const std::vector<Outcome>& outcomes, Format format);

}  // namespace cpbench
