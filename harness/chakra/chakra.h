// A Schedule as Chakra execution traces, one per rank (schema/protobuf/et_def.proto of
// github.com/mlcommons/chakra, version 0.0.4).
//
//   const ChakraTraces traces(schedule);
//   write_atomically("ring.0.et", traces.of(0));
//
// A trace is a GlobalMetadata and then Nodes, each behind its length. The nodes of a rank, and what
// they wait for:
//   COMP_NODE       a task: a kernel call, a copy, a merge, the layer. Waits for the task before
//   it.
//                   "wait" has no duration and also waits for the node that receives.
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
#include <string>
#include <vector>

#include "harness/simulate/schedule.h"

namespace cpbench {

class ChakraTraces {
 public:
  // The schedule must outlive it.
  explicit ChakraTraces(const Schedule& schedule);
  std::string of(int32_t rank) const;

 private:
  const Schedule& schedule_;
  std::vector<std::vector<int32_t>> transfers_;  // of each rank, by exchange
};

}  // namespace cpbench
