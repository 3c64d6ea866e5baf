// The links between this machine's GPUs, measured with NCCL, as part of a cluster file.
#pragma once

#include <string>

#include "harness/cli/table.h"
#include "harness/machines/cluster_model.h"

namespace cpbench {

struct MeasuredLinks {
  ClusterModel machine;
  Table fits;  // one row per exchange and rank count
};

// `cluster`: a shipped cluster or a file, from which everything else is taken; "": the shipped
// cluster with such GPUs. Throws UserError for a single GPU, and for GPUs of no shipped cluster.
MeasuredLinks measure_links(const std::string& cluster);

}  // namespace cpbench
