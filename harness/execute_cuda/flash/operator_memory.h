// The memory that LibTorch's operators allocate while they run.
//
//   OperatorMemory memory(workspace, bytes, more);
//   memory.place(output_bytes, output);   // the next allocation of this size is `output`
//   at::_flash_attention_forward(...);
//
// LibTorch's GPU allocator is replaced, so that operators allocate from the workspace of a launch.
// No GPU memory is then allocated in an iteration, and an output can be placed where the call needs
// it. Nothing else in this process uses LibTorch on a GPU.
#pragma once

#include <cstdint>
#include <vector>

#include "harness/execute_cuda/device_array.h"

namespace cpbench {

// Replaces the allocator, once. Throws c10::Error if LibTorch has already used a GPU.
void replace_operator_allocator();

// Memory that did not fit into the workspace. It is kept for the next launch of the same call.
using MoreMemory = std::vector<DeviceArray<std::byte>>;

// While it lives, the operators that this thread calls allocate from `workspace`, one piece after
// another, and then from `more`.
class OperatorMemory {
 public:
  OperatorMemory(std::byte* workspace, int64_t bytes, MoreMemory& more);
  ~OperatorMemory();
  OperatorMemory(const OperatorMemory&) = delete;
  OperatorMemory& operator=(const OperatorMemory&) = delete;

  // Frees all pieces. Kernels that use them must have been enqueued on the same stream as later
  // ones.
  void reset();
  // The next allocation of exactly this size returns `where`.
  void place(int64_t bytes, void* where);

  void* allocate(int64_t bytes);

 private:
  std::byte* workspace_;
  int64_t bytes_;
  int64_t used_ = 0;
  MoreMemory& more_;
  size_t more_used_ = 0;
  int64_t placed_bytes_ = 0;
  void* placed_ = nullptr;
};

}  // namespace cpbench
