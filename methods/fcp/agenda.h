// The order in which a rank attends, chosen so that all ranks keep pace with one another: partners
// in an exchange wait for the slower one, and the transfers of a stage can be many or few, large or
// small.
//
// A rank takes its jobs one after another; those with transfers are spread over all stages. A
// transfer should arrive when it is its job's turn. Then a job is in few stages, so its partial
// outputs are rarely merged, its queries are needed only from its first stage on, and its output is
// done after its last. Work without transfers fills the steps in which little has arrived.
#pragma once

#include <cstdint>
#include <vector>

#include "methods/fcp/transfers.h"

namespace cpbench::fcp {

// For each transfer, the fraction of the receiver's jobs with transfers that comes before it, in
// [0, 1).
std::vector<double> turns(const Needs& needs, const RangeSets& sets, int32_t ranks);

// For each job, the step from 0 to `stages` in which it attends what is on its rank. What stage t
// brought is attended in step t + 1. `stage_of` has the stage of each transfer.
std::vector<int32_t> local_steps(const Needs& needs, const std::vector<int32_t>& stage_of,
                                 int32_t stages, int32_t ranks);

}  // namespace cpbench::fcp
