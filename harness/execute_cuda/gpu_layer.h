// The layer around the attention (harness/execute/layer.h) of a rank, in the memory of the current
// GPU, with cuBLAS's matrix products.
//
//   GpuLayer layer(program, shape, buffers);
//   layer.fill_inputs(home, seed, stream);
//   layer.run(layer.bound().before(0), stream);   // writes the home Q, K and V
#pragma once

#include <cublas_v2.h>

#include <memory>

#include "harness/execute/layer.h"
#include "harness/execute_cuda/device_array.h"

namespace cpbench {

class GpuLayer {
 public:
  // At the addresses of the program's bound buffers.
  GpuLayer(const RankProgram& program, const AttentionShape& shape,
           const std::vector<BoundBuffer>& buffers);

  const BoundLayer& bound() const { return bound_; }
  int64_t bytes() const { return static_cast<int64_t>(memory_.size() + workspace_.size()); }
  void fill_inputs(RangeSpan home, uint64_t seed, cudaStream_t stream);  // the rest is NaN
  void run(const std::vector<LayerOp>& ops, cudaStream_t stream) const;

 private:
  struct Destroy {
    void operator()(cublasHandle_t handle) const { static_cast<void>(cublasDestroy(handle)); }
  };
  void multiply(const LayerOp& op) const;

  DeviceArray<std::byte> memory_;
  BoundLayer bound_;
  DeviceArray<std::byte> workspace_;  // of cuBLAS, which may not allocate in a captured stream
  std::unique_ptr<cublasContext, Destroy> cublas_;
};

// Enqueues an operation that is no product.
void launch_layer_op(const LayerOp& op, cudaStream_t stream);

}  // namespace cpbench
