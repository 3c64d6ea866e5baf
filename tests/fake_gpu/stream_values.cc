// The driver's operations of a stream on values in memory, and how the runtime finds the function
// that enqueues them.
#include <cuda.h>

#include <cstring>
#include <thread>

#include "tests/fake_gpu/fake.h"

namespace fake_gpu {
namespace {

std::atomic_ref<cuuint64_t> value_at(CUdeviceptr address) {
  if (address % sizeof(cuuint64_t) != 0) misuse("a stream's value is not aligned");
  return std::atomic_ref(*reinterpret_cast<cuuint64_t*>(address));
}

void run(const CUstreamBatchMemOpParams& operation) {
  if (operation.operation == CU_STREAM_MEM_OP_WRITE_VALUE_64) {
    value_at(operation.writeValue.address).store(operation.writeValue.value64);
    return;
  }
  while (value_at(operation.waitValue.address).load() != operation.waitValue.value64) {
    std::this_thread::sleep_for(std::chrono::microseconds(20));
  }
}

void check(const CUstreamBatchMemOpParams& operation) {
  const bool waits = operation.operation == CU_STREAM_MEM_OP_WAIT_VALUE_64;
  if (!waits && operation.operation != CU_STREAM_MEM_OP_WRITE_VALUE_64) {
    misuse("streams only write 64-bit values and wait for them");
  }
  if (waits && operation.waitValue.flags != CU_STREAM_WAIT_VALUE_EQ) {
    misuse("streams only wait for equal values");
  }
}

CUresult enqueue(CUstream stream, unsigned count, CUstreamBatchMemOpParams* operations, unsigned) {
  if (count >= 256) return CUDA_ERROR_INVALID_VALUE;
  std::vector<CUstreamBatchMemOpParams> batch(operations, operations + count);
  for (const CUstreamBatchMemOpParams& operation : batch) check(operation);
  submit(stream, [batch = std::move(batch)] {
    for (const CUstreamBatchMemOpParams& operation : batch) run(operation);
  });
  return CUDA_SUCCESS;
}

}  // namespace
}  // namespace fake_gpu

extern "C" cudaError_t cudaGetDriverEntryPointByVersion(const char* name, void** function, unsigned,
                                                        unsigned long long,
                                                        cudaDriverEntryPointQueryResult* result) {
  const bool found = std::strcmp(name, "cuStreamBatchMemOp") == 0;
  *function = found ? reinterpret_cast<void*>(&fake_gpu::enqueue) : nullptr;
  if (result != nullptr) {
    *result = found ? cudaDriverEntryPointSuccess : cudaDriverEntryPointSymbolNotFound;
  }
  return cudaSuccess;
}
