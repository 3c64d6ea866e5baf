// The links between this machine's GPUs, measured over NCCL, as part of a cluster file.
#pragma once

#include <string>

#include "harness/cli/table.h"
#include "harness/machines/cluster_model.h"

namespace cpbench {

struct MeasuredLinks {
  ClusterModel machine;
  Table fits;  // a row for each
};

// `cluster`: what else the file says, a name of list_clusters or a file; "": the shipped one with
// such GPUs. Throws UserError for one GPU alone, and for GPUs that no shipped cluster has.
MeasuredLinks measure_links(const std::string& cluster);

}  // namespace cpbench
