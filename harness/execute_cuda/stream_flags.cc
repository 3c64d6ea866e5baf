#include "harness/execute_cuda/stream_flags.h"

#include <algorithm>
#include <atomic>
#include <string>

#include "harness/execute_cuda/cuda_check.h"
#include "harness/plan/errors.h"

namespace cpbench {
namespace {

constexpr unsigned kDriverVersion = 12000;  // whose interface the function has
constexpr size_t kMostOperations = 128;     // at once; the driver accepts 255

// The driver's functions are looked up, because this module also loads where there is no driver.
void* driver_function(const char* name) {
  void* function = nullptr;
  cudaDriverEntryPointQueryResult found{};
  check_cuda(
      cudaGetDriverEntryPointByVersion(name, &function, kDriverVersion, cudaEnableDefault, &found),
      "cudaGetDriverEntryPointByVersion");
  if (found == cudaDriverEntryPointSuccess) return function;
  throw UserError(std::string("the NVIDIA driver has no ") + name +
                  "; a driver for CUDA 12 or newer is required");
}

}  // namespace

StreamFlags::StreamFlags(int64_t count)
    : count_(count), enqueue_(reinterpret_cast<Enqueue*>(driver_function("cuStreamBatchMemOp"))) {
  if (count == 0) return;
  check_cuda(cudaHostAlloc(reinterpret_cast<void**>(&values_),
                           static_cast<size_t>(count) * sizeof(*values_),
                           cudaHostAllocMapped | cudaHostAllocPortable),
             "cudaHostAlloc");
  std::fill_n(values_, count, 0);
}

StreamFlags::~StreamFlags() {
  if (values_) static_cast<void>(cudaFreeHost(values_));
}

void StreamFlags::write(int64_t flag, cuuint64_t value, Operations& operations) const {
  CUstreamBatchMemOpParams& operation = operations.emplace_back();
  operation.writeValue = {};
  operation.writeValue.operation = CU_STREAM_MEM_OP_WRITE_VALUE_64;
  operation.writeValue.address = reinterpret_cast<CUdeviceptr>(values_ + flag);
  operation.writeValue.value64 = value;
  operation.writeValue.flags = CU_STREAM_WRITE_VALUE_DEFAULT;  // after all memory was written
}

void StreamFlags::enqueue(Operations operations, cudaStream_t stream) const {
  for (size_t first = 0; first < operations.size(); first += kMostOperations) {
    const size_t count = std::min(operations.size() - first, kMostOperations);
    const CUresult code =
        enqueue_(stream, static_cast<unsigned>(count), operations.data() + first, 0);
    if (code == CUDA_SUCCESS) continue;
    throw CudaError("cuStreamBatchMemOp: error " + std::to_string(code));
  }
}

void StreamFlags::set(const std::vector<int64_t>& flags, cudaStream_t stream) const {
  Operations operations;
  for (int64_t flag : flags) write(flag, 1, operations);
  enqueue(std::move(operations), stream);
}

void StreamFlags::wait(const std::vector<int64_t>& flags, cudaStream_t stream) const {
  Operations operations;
  for (int64_t flag : flags) {
    CUstreamBatchMemOpParams& operation = operations.emplace_back();
    operation.waitValue = {};
    operation.waitValue.operation = CU_STREAM_MEM_OP_WAIT_VALUE_64;
    operation.waitValue.address = reinterpret_cast<CUdeviceptr>(values_ + flag);
    operation.waitValue.value64 = 1;
    operation.waitValue.flags = CU_STREAM_WAIT_VALUE_EQ;
    write(flag, 0, operations);
  }
  enqueue(std::move(operations), stream);
}

void StreamFlags::set_all() {
  for (int64_t i = 0; i < count_; ++i) {
    std::atomic_ref(values_[i]).store(1, std::memory_order_release);
  }
}

}  // namespace cpbench
