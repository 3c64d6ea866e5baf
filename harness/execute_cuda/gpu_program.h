// A rank's program in the memory of the current GPU: its arena, and its operations ready to be
// enqueued one by one.
#pragma once

#include <memory>
#include <vector>

#include "harness/execute/bound_program.h"
#include "harness/execute/outputs.h"
#include "harness/execute_cuda/gpu_kernel.h"
#include "harness/execute_cuda/rows.h"
#include "harness/timeline/timeline.h"

namespace cpbench {

class GpuProgram {
 public:
  // The program must outlive it. Memory that nothing was written to holds NaN.
  GpuProgram(const RankProgram& program, const AttentionShape& shape, const GpuKernel& kernel);

  void fill_inputs(uint64_t seed, cudaStream_t stream);
  // The whole arena with numbers like those of inputs, so that operations can run in any order.
  void fill_everything(uint64_t seed, cudaStream_t stream);
  void run(const Op& op, cudaStream_t stream) const;  // no message
  const BoundBuffer& buffer(int32_t index) const { return bound_.buffers[index]; }

  // Of the arena and of what calls need beside it; lists of rows and segments are not counted.
  int64_t planned_bytes() const;

 private:
  const RankProgram& program_;
  Dtype dtype_;
  DeviceArray<std::byte> arena_;
  BoundProgram bound_;
  DeviceRuns runs_;
  std::vector<std::unique_ptr<BoundCall>> calls_;
  DeviceArray<std::byte> workspace_;
};

Activity activity_of(const RankProgram& program, const Op& op);  // no message

// What a rank has computed, copied to memory of the CPU.
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
  std::vector<Copy> copies_;  // of o, dq and dkv, as far as they are there
};

}  // namespace cpbench
