// Decides which ranks of a run each process drives, and on which of its GPUs.
//
//   const auto processes = gather_gpus(group, {node_name(), uuids});   // the same on all processes
//   const RanksOfProcess mine = place_ranks(ranks, nodes, processes)[group.rank()];
//   // rank mine.first_rank + i runs on device mine.devices[i]
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/execute/processes/process_group.h"

namespace cpbench {

struct GpusOfProcess {
  std::string node;               // host name, without spaces
  std::vector<std::string> gpus;  // UUIDs of the GPUs that the process sees, by device number
};

// A process drives ranks [first_rank, first_rank + devices.size()).
struct RanksOfProcess {
  int32_t first_rank = 0;
  std::vector<int32_t> devices;  // by rank; empty if the process drives none
  bool operator==(const RanksOfProcess&) const = default;
};

// Returns the ranks of each process, one rank per GPU. Processes that see the same GPUs (torchrun)
// share them equally, in the order of the processes; processes that see GPUs of their own (srun
// --gpus-per-task) use those. Ranks are numbered node by node, as in a plan: if the processes are
// on several nodes each node gets `ranks / nodes` ranks, on one node it gets all of them. Throws
// UserError with the numbers if the ranks do not fit.
std::vector<RanksOfProcess> place_ranks(int32_t ranks, int32_t nodes,
                                        const std::vector<GpusOfProcess>& processes);

// Returns what every process passes, by process. To be called inside ProcessGroup::together.
std::vector<GpusOfProcess> gather_gpus(ProcessGroup& group, const GpusOfProcess& mine);

// This process's host name, or NCCL_HOSTID if it is set: processes that are on different hosts for
// NCCL are then on different nodes here too, even if they share GPUs.
std::string node_name();

}  // namespace cpbench
