// Errors of the CUDA runtime as exceptions.
#pragma once

#include <cuda_runtime_api.h>

#include <new>
#include <stdexcept>
#include <string>

namespace cpbench {

// "cudaMemcpyAsync: an illegal memory access was encountered"
class CudaError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Throws CudaError; std::bad_alloc where the GPU's memory is used up.
inline void check_cuda(cudaError_t code, const char* what) {
  if (code == cudaSuccess) return;
  if (code == cudaErrorMemoryAllocation) {
    static_cast<void>(cudaGetLastError());  // it would be reported again
    throw std::bad_alloc();
  }
  throw CudaError(std::string(what) + ": " + cudaGetErrorString(code));
}

}  // namespace cpbench
