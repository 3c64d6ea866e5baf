// Sends the reports of ranks to process 0.
//
//   if (group.rank() > 0) send_report(group, report);
//   if (group.rank() == 0) report = receive_report(group, from, ranks);
#pragma once

#include "harness/execute/processes/process_group.h"
#include "harness/execute/rank_report.h"

namespace cpbench {

// To be called inside ProcessGroup::together, when no message of the program is in flight.
void send_report(ProcessGroup& group, const RankReport& report);
RankReport receive_report(ProcessGroup& group, int32_t from, int32_t ranks);

}  // namespace cpbench
