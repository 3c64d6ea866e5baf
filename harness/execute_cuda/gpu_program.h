// A rank's program in the memory of the current GPU: it holds the arena, and runs operations on a
// stream.
//
//   GpuProgram on_gpu(program, shape, kernel);
//   on_gpu.fill_inputs(seed, stream);
//   for (const Op& op : program.ops) on_gpu.run(op, stream);
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "harness/execute/bound_program.h"
#include "harness/execute/outputs.h"
#include "harness/execute_cuda/gpu_kernel.h"
#include "harness/execute_cuda/gpu_layer.h"
#include "harness/execute_cuda/rows.h"
#include "harness/timeline/timeline.h"

namespace cpbench {

class GpuProgram {
 public:
  // The program must outlive this. `bound` is called
  // after each call that is bound, because a library may build graphs for seconds.
  GpuProgram(const RankProgram& program, const AttentionShape& shape, const GpuKernel& kernel,
             const std::function<void()>& bound = nullptr);

  // Runs all operations once, on whatever is in memory: what libraries load and allocate in their
  // first call is then there.
  void warm_up(cudaStream_t stream) const;

  // All that is no input is NaN afterwards. No operation may be in flight.
  void fill_inputs(uint64_t seed, cudaStream_t stream);
  // Fills the whole arena with numbers like those of inputs, so that operations can run in any
  // order.
  void fill_everything(uint64_t seed, cudaStream_t stream);
  void run(const Op& op, cudaStream_t stream) const;  // `op` must not be a message or collective
  bool has_layer() const { return layer_.has_value(); }
  // What the layer around the attention computes before or after the attention of a pass.
  void run_layer(int32_t pass, bool before, cudaStream_t stream) const;
  const BoundBuffer& buffer(int32_t index) const { return bound_.buffers[index]; }
  const LayerOutputs* layer_outputs() const {
    return layer_ ? &layer_->bound().outputs() : nullptr;
  }
  // The gradient of the attention sinks [query heads]; empty without. No operation may be in
  // flight.
  std::vector<double> sink_gradient() const;

  // The memory of the arena, the workspace and the layer. Lists of rows and segments are not
  // counted.
  int64_t planned_bytes() const;

 private:
  void set_sinks(uint64_t seed);
  int64_t home_rows() const { return program_.buffers[program_.o].rows; }

  const RankProgram& program_;
  AttentionShape shape_;
  DeviceArray<std::byte> arena_;
  DeviceArray<double> sinks_;      // [query heads]; empty without
  DeviceArray<double> sink_sums_;  // [blocks of rows, query heads]
  BoundProgram bound_;
  DeviceRuns runs_;
  std::vector<std::unique_ptr<BoundCall>> calls_;
  DeviceArray<std::byte> workspace_;
  std::optional<GpuLayer> layer_;  // if the shape has one
};

// What a rank has computed, copied to the memory of the host.
class CopiedOutputs {
 public:
  CopiedOutputs(const RankProgram& program, const GpuProgram& on_gpu);
  HomeOutputs view() const;

 private:
  struct Copy {
    std::vector<std::byte> bytes;
    BoundBuffer buffer;
  };
  const RankProgram& program_;
  Dense copied(const Dense& matrix);

  std::vector<Copy> copies_;  // of o, and of dq and dkv after a backward pass
  std::optional<LayerOutputs> layer_;
  std::vector<std::vector<std::byte>> layer_bytes_;
  std::vector<double> sinks_;
};

}  // namespace cpbench
