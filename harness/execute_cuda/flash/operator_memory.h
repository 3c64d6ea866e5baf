// The memory that LibTorch's operators take while they run.
//
// Their allocator is replaced, so that what they take comes from the workspace of a launch: no
// allocation happens in an iteration, the workspace is all there is, and an output can be told to
// lie where the call wants it. Nothing else in this process uses LibTorch on a GPU.
#pragma once

#include <cstdint>
#include <vector>

#include "harness/execute_cuda/device_array.h"

namespace cpbench {

// Replaces the allocator; once, before LibTorch has used a GPU. Throws c10::Error otherwise.
void replace_operator_allocator();

// What did not fit: kept for the next launch of the same call.
using MoreMemory = std::vector<DeviceArray<std::byte>>;

// While it lives, the operators that this thread calls take their memory from `workspace`, one
// piece after the other, and from `more`.
class OperatorMemory {
 public:
  OperatorMemory(std::byte* workspace, int64_t bytes, MoreMemory& more);
  ~OperatorMemory();
  OperatorMemory(const OperatorMemory&) = delete;
  OperatorMemory& operator=(const OperatorMemory&) = delete;

  // All memory is free again. What used it is enqueued before what will.
  void reset();
  // The next piece of exactly this size lies there.
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
