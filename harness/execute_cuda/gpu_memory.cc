#include "harness/execute_cuda/gpu_memory.h"

#include <cstdio>
#include <string>

#include "harness/execute/execute.h"
#include "harness/execute_cuda/stream.h"

namespace cpbench {
namespace {

struct Memory {
  size_t free = 0, total = 0;
};

Memory memory_now() {
  Memory memory;
  check_cuda(cudaMemGetInfo(&memory.free, &memory.total), "cudaMemGetInfo");
  return memory;
}

std::string gigabytes(double bytes) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g GB", 1e-9 * bytes);
  return text;
}

}  // namespace

int64_t free_gpu_bytes() { return static_cast<int64_t>(memory_now().free); }

void require_gpu_memory(int32_t device, int64_t bytes) {
  set_device(device);
  const Memory memory = memory_now();
  if (bytes <= static_cast<int64_t>(memory.free)) return;
  throw DoesNotFit("GPU " + std::to_string(device) + " would need " +
                   gigabytes(static_cast<double>(bytes)) + " and has " +
                   gigabytes(static_cast<double>(memory.free)) + " free of " +
                   gigabytes(static_cast<double>(memory.total)));
}

}  // namespace cpbench
