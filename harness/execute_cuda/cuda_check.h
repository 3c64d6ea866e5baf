// Turns errors of the CUDA runtime into exceptions.
//
//   check_cuda(cudaStreamSynchronize(stream), "cudaStreamSynchronize");
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

// Forgets an error that another library left behind, which would be reported as that of the next
// kernel launch. An error that ends all work on the GPU stays.
inline void forget_cuda_error() { static_cast<void>(cudaGetLastError()); }

// Throws CudaError, or std::bad_alloc if the GPU is out of memory.
inline void check_cuda(cudaError_t code, const char* what) {
  if (code == cudaSuccess) return;
  if (code == cudaErrorMemoryAllocation) {
    forget_cuda_error();
    throw std::bad_alloc();
  }
  throw CudaError(std::string(what) + ": " + cudaGetErrorString(code));
}

}  // namespace cpbench
