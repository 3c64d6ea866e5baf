// The GPUs of this machine: what the module of harness/execute_cuda offers the program, which
// starts without CUDA.
//
//   const std::unique_ptr<Gpus> gpus = open_gpus();   // UserError: no CUDA here, no GPU, old driver
//   Timeline timeline = gpus->run({problem, plan, program, options, *reference}, placement);
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "harness/compile/program.h"
#include "harness/execute/execute.h"
#include "harness/execute/kernel_timing.h"
#include "harness/execute/reference.h"
#include "harness/plan/plan.h"

namespace cpbench {

struct Gpu {
  std::string name;  // "NVIDIA H200"
  std::string uuid;
  int32_t sms = 0;
  int32_t capability = 0;  // 90: Hopper
  int64_t memory_bytes = 0;
  int64_t l2_bytes = 0;
  double memory_bytes_per_second = 0;  // by bus width and clock; 0: not told
  double clock_hertz = 0;              // default of the SMs
};

}  // namespace cpbench
