// The machine that cpbench is on, as a cluster file would describe it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/machines/cluster_model.h"

namespace cpbench {

struct ListedGpu {          // by the driver
  std::string name;         // "NVIDIA H100 80GB HBM3"
  double memory_bytes = 0;  // as the driver says
};

// The lines of `nvidia-smi --query-gpu=name,memory.total --format=csv,noheader,nounits`: a name and
// a number of MiB each. Others are left out.
std::vector<ListedGpu> parse_gpus(const std::string& csv);
std::vector<ListedGpu> gpus_here();  // asks nvidia-smi; empty without it, or without a GPU

// The shipped cluster of such GPUs, with as many as there are in its node; nullopt for GPUs of
// several kinds, or of one that no shipped cluster has.
std::optional<ClusterModel> machine_of_gpus(const std::vector<ListedGpu>& gpus);

// One rank per core. Peak, copies and messages between threads are measured, which takes about two
// seconds; the peak is that of float32.
ClusterModel machine_of_cores();

int32_t usable_cores();
int64_t memory_bytes_here();  // of all cores together; 0: unknown

}  // namespace cpbench
