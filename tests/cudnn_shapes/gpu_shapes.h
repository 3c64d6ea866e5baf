// The shapes of the cuDNN graphs that runs on an H200 need, found without a GPU.
#pragma once

#include <set>
#include <string>

#include "harness/execute_cuda/cudnn/sdpa_graph.h"

namespace cpbench {

// An H200, as cuDNN describes it.
inline constexpr const char* kH200 = R"({
  "deviceName": "NVIDIA H200", "deviceVer": 900, "driverVer": 13000, "multiProcessorCount": 132,
  "maxGridSize": [2147483647, 65535, 65535], "maxBlockSize": [1024, 1024, 64],
  "regsPerBlock": 65536, "maxRegistersPerSM": 65536, "maxSharedMemoryPerBlock": 49152,
  "maxSharedMemoryPerBlockOptin": 232448, "reservedSharedMemoryPerBlock": 1024, "warpSize": 32,
  "maxCtasPerSM": 32, "maxThreadsPerBlock": 1024, "maxThreadsPerSM": 2048,
  "smClockRateKHz": 1980000, "memClockRateKHz": 3201000, "l2CacheSize": 62914560,
  "totalGlobalMem": 150000000000, "cudaDeviceId": 0, "pciDeviceId": 0, "isTccDriver": 0,
  "supportCoopLaunch": 1})";
inline constexpr CudnnDevice kH200Device{.capability = 90, .sms = 132};

using CudnnShapes = std::set<CudnnShape>;

// Those of all ranks in all runs of a suite, and of the plain runs from which tolerances follow.
CudnnShapes shapes_of_suite(const std::string& name);
// Those of `cpbench calibrate gpu` with this shape.
CudnnShapes shapes_of_calibration(const std::string& shape);

}  // namespace cpbench
