#include "harness/execute_cuda/flash/operator_memory.h"

#include <torch/csrc/cuda/CUDAPluggableAllocator.h>

#include <mutex>
#include <unordered_set>
#include <utility>

namespace cpbench {
namespace {

constexpr int64_t kAlignment = 512;  // that of LibTorch's own allocator

thread_local OperatorMemory* current = nullptr;

// Memory that is requested outside of launches, for example when LibTorch initialises a GPU.
class LastingMemory {
 public:
  void* allocate(size_t bytes) {
    void* memory = nullptr;
    check_cuda(cudaMalloc(&memory, bytes), "cudaMalloc");
    const std::lock_guard lock(mutex_);
    blocks_.insert(memory);
    return memory;
  }
  void free(void* memory) {
    {
      const std::lock_guard lock(mutex_);
      if (blocks_.erase(memory) == 0) return;
    }
    static_cast<void>(cudaFree(memory));
  }

 private:
  std::mutex mutex_;
  std::unordered_set<void*> blocks_;
};

LastingMemory& lasting_memory() {
  static auto* memory = new LastingMemory;  // tensors may be freed when the process ends
  return *memory;
}

}  // namespace

void replace_operator_allocator() {
  static std::once_flag once;
  std::call_once(once, [] {
    torch::cuda::CUDAPluggableAllocator::changeCurrentAllocator(
        torch::cuda::CUDAPluggableAllocator::createCustomAllocator(
            [](size_t bytes, int, cudaStream_t) -> void* {
              if (bytes == 0) return nullptr;
              if (current) return current->allocate(static_cast<int64_t>(bytes));
              return lasting_memory().allocate(bytes);
            },
            [](void* memory, size_t, int, cudaStream_t) { lasting_memory().free(memory); }));
  });
}

OperatorMemory::OperatorMemory(std::byte* workspace, int64_t bytes, MoreMemory& more)
    : workspace_(workspace), bytes_(bytes), more_(more) {
  current = this;
}

OperatorMemory::~OperatorMemory() { current = nullptr; }

void OperatorMemory::reset() {
  used_ = 0;
  more_used_ = 0;
  placed_ = nullptr;
}

void OperatorMemory::place(int64_t bytes, void* where) {
  placed_bytes_ = bytes;
  placed_ = where;
}

void* OperatorMemory::allocate(int64_t bytes) {
  if (placed_ && bytes == placed_bytes_) return std::exchange(placed_, nullptr);
  const int64_t padded = (bytes + kAlignment - 1) / kAlignment * kAlignment;
  if (used_ + padded <= bytes_) {
    std::byte* memory = workspace_ + used_;
    used_ += padded;
    return memory;
  }
  if (more_used_ == more_.size() || static_cast<int64_t>(more_[more_used_].size()) < padded) {
    more_.emplace(more_.begin() + static_cast<std::ptrdiff_t>(more_used_),
                  static_cast<size_t>(padded));
  }
  return more_[more_used_++].data();
}

}  // namespace cpbench
