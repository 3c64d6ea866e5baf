// An array in the memory of the current GPU.
//
//   const DeviceArray<int32_t> rows(std::span<const int32_t>(host_rows));   // uploads
#pragma once

#include <span>
#include <utility>

#include "harness/execute_cuda/cuda_check.h"

namespace cpbench {

template <typename T>
class DeviceArray {
 public:
  DeviceArray() = default;
  explicit DeviceArray(size_t size) : size_(size) {
    if (size > 0) {
      check_cuda(cudaMalloc(reinterpret_cast<void**>(&data_), size * sizeof(T)), "cudaMalloc");
    }
  }
  explicit DeviceArray(std::span<const T> values) : DeviceArray(values.size()) {
    if (size_ == 0) return;
    const auto code = cudaMemcpy(data_, values.data(), size_ * sizeof(T), cudaMemcpyHostToDevice);
    check_cuda(code, "cudaMemcpy");
    // cudaMemcpy may return before the bytes have arrived, and other streams do not wait for them.
    check_cuda(cudaStreamSynchronize(nullptr), "cudaStreamSynchronize");
  }
  ~DeviceArray() { static_cast<void>(cudaFree(data_)); }
  DeviceArray(DeviceArray&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  DeviceArray& operator=(DeviceArray&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }

  // Sets all bytes. Returns when they are set, because streams that do not wait for the default one
  // would not wait for a cudaMemset either.
  void fill(int byte) {
    if (size_ == 0) return;
    check_cuda(cudaMemset(data_, byte, size_ * sizeof(T)), "cudaMemset");
    check_cuda(cudaStreamSynchronize(nullptr), "cudaStreamSynchronize");
  }

  T* data() const { return data_; }
  size_t size() const { return size_; }

 private:
  T* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace cpbench
