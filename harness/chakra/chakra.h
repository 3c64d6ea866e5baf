// A Schedule as Chakra execution traces, one per rank (schema/protobuf/et_def.proto of
// github.com/mlcommons/chakra, version 0.0.4).
//
//   write_chakra_traces(schedule, [](int32_t rank, const std::string& trace) {
//     write_atomically("ring." + std::to_string(rank) + ".et", trace);
//   });
//
// A trace is a GlobalMetadata and then Nodes, each behind its length. The nodes of a rank, and what
// they wait for:
//   COMP_NODE       a task: a kernel call, a copy, a merge, the layer. Waits for the task before
//                   it. "wait" has no duration and also waits for the node that receives.
//   COMP_NODE       "pack", what is copied into a message. Waits for the pack before it, for its
//                   exchange, and for the task that writes what it copies.
//   COMP_NODE       "exchange", without duration: the rank enters its next exchange. Waits for all
//                   communication of the exchange before it, and for the task from which the
//                   exchange is at most `lookahead` steps away.
//   COMM_SEND_NODE, COMM_RECV_NODE   a transfer, with the same comm_src, comm_dst, comm_tag and
//                   comm_size (bytes) on both ranks. Waits for its exchange; a send also for the
//                   task and pack that write it, or for the receive whose bytes it passes on.
//   COMM_COLL_NODE  an all-gather or reduce-scatter of the library, on each of its ranks: comm_size
//                   is the bytes of one rank's block, pg_name the ranks, like "0,1,2,3".
// Durations are those of the simulation: whole microseconds as the schema has them, and
// exactly in the attribute `duration_seconds`. Those of communication are left to the reader.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "harness/simulate/schedule.h"

namespace cpbench {

// Calls `write` with the trace of each rank, one after another. Throws UserError, before it calls
// anything, if cpbench was built without protobuf.
void write_chakra_traces(const Schedule& schedule,
                         const std::function<void(int32_t rank, const std::string& trace)>& write);

}  // namespace cpbench
