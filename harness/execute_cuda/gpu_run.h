// One run on GPUs: each rank of this process is a thread, and iterations run between barriers of
// all ranks.
#pragma once

#include <memory>
#include <string>

#include "harness/execute/gpus/gpu.h"
#include "harness/execute_cuda/clocks.h"
#include "harness/execute_cuda/device_transport.h"
#include "harness/execute_cuda/gpu_kernel.h"
#include "harness/execute_cuda/load_sampler.h"

namespace cpbench {

struct GpuRun {
  const GpuJob& job;
  const GpuKernel& kernel;
  DeviceTransport& transport;
  const std::vector<Gpu>& gpus;
  const Clocks& clocks;
  GpuLoad* load = nullptr;  // set to that of the GPUs while samples were taken
};

// Gpus::run (gpu.h) describes what it returns.
std::vector<RankReport> run_on_gpus(const GpuRun& run);

}  // namespace cpbench
