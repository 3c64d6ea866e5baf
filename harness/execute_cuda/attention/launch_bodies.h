// Launches the bodies of attention_bodies.h, which nvcc compiles once for all kernels.
#pragma once

#include "harness/execute_cuda/attention/attention_bodies.h"
#include "harness/execute_cuda/device_array.h"

namespace cpbench {

// Threads that share a head in MakeOutput. Each has 16 bytes of a head of 128 elements.
inline constexpr int32_t kHeadLanes = 16;

void launch_body(const CopyRows<BFloat16>& body, cudaStream_t stream);
void launch_body(const CopyRows<float>& body, cudaStream_t stream);
void launch_body(const AddRows& body, cudaStream_t stream);
void launch_body(const CopySideData& body, cudaStream_t stream);
void launch_body(const BlankRows<BFloat16>& body, cudaStream_t stream);
void launch_body(const BlankRows<float>& body, cudaStream_t stream);
void launch_body(const MakeOutput<kHeadLanes>& body, cudaStream_t stream);

// A machine (steps.h) on a GPU, without its library.
struct GpuMachine {
  template <typename T>
  using Array = DeviceArray<T>;
  static constexpr int32_t kHeadLanes = cpbench::kHeadLanes;

  explicit GpuMachine(cudaStream_t stream, bool library_only)
      : stream(stream), library_only(library_only) {}
  template <typename Body>
  void launch(const Body& body) const {
    if (!library_only) launch_body(body, stream);
  }

  cudaStream_t stream;
  bool library_only;  // for timing: bodies are not launched
};

}  // namespace cpbench
