// Reports of ranks on their way to process 0.
#pragma once

#include "harness/execute/processes/process_group.h"
#include "harness/execute/rank_report.h"

namespace cpbench {

// Inside a work of the group, when no message of the program is under way.
void send_report(ProcessGroup& group, const RankReport& report);
RankReport receive_report(ProcessGroup& group, int32_t from, int32_t ranks);

}  // namespace cpbench
