// Which ranks of a run each process drives, and on which of its GPUs.
//
//   const auto processes = gather_gpus(group, {node_name(), uuids});   // known to all
//   const RanksOfProcess mine = place_ranks(cell.ranks, cell.nodes, processes)[group.rank()];
//   mine.first + i runs on device mine.devices[i]
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/execute/processes/process_group.h"

namespace cpbench {

struct GpusOfProcess {
  std::string node;               // its host name
  std::vector<std::string> gpus;  // UUIDs of those that it sees, by device number; no spaces
};

struct RanksOfProcess {
  int32_t first = 0, last = 0;   // half-open; none: equal
  std::vector<int32_t> devices;  // of each
};

// By process. A GPU is one rank's. Processes that see the same GPUs (torchrun) share them equally,
// in the order of the processes; those that see their own (srun --gpus-per-task) have them. Ranks
// go through the nodes one after another, as a plan numbers them: on several nodes `ranks / nodes`
// to each, on one as many as there are. Throws UserError with the numbers if they do not fit.
std::vector<RanksOfProcess> place_ranks(int32_t ranks, int32_t nodes,
                                        const std::vector<GpusOfProcess>& processes);

// Inside a work of the group: what every process says here, by process, on all.
std::vector<GpusOfProcess> gather_gpus(ProcessGroup& group, const GpusOfProcess& mine);

// The host name, or what NCCL_HOSTID calls this process's host: processes that NCCL takes for those
// of different hosts are on different nodes here too, whatever GPUs they share.
std::string node_name();

}  // namespace cpbench
