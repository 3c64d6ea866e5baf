// Enqueues row operations of a program (row_ops.h) on device buffers.
//
//   const DeviceRuns runs(program);   // uploads all runs of a rank's program once
//   launch_row_op(op, runs, Tensor::kv, source, target, stream);
#pragma once

#include <cuda_runtime_api.h>

#include "harness/compile/program.h"
#include "harness/execute/inputs.h"
#include "harness/execute/row_ops.h"
#include "harness/execute_cuda/device_array.h"
#include "harness/execute_cuda/row_tiles.h"

namespace cpbench {

// The runs of a program in device memory, with the number of rows that precede each in its
// operation.
class DeviceRuns {
 public:
  explicit DeviceRuns(const RankProgram& program);

  int64_t rows_of(const RowOp& op) const;
  RunTable table(const RowOp& op) const;  // `op` must have at least one run

 private:
  std::vector<int32_t> ends_;  // [program.runs]: rows of the operation up to the end of the run
  std::vector<RowRun> host_runs_;
  DeviceArray<RowRun> runs_;
  DeviceArray<int32_t> before_;
};

// Does the same as run_row_op. Copies, conversions, sums and zeros are equal bit for bit. Merges
// compute their weights in the accumulation dtype and differ by its rounding.
void launch_row_op(const RowOp& op, const DeviceRuns& runs, Tensor tensor,
                   const BoundBuffer& source, const BoundBuffer& target, cudaStream_t stream);

// Does the same as run_row_sums, except for the order of each sum.
void launch_row_sums(const BoundBuffer& o, const BoundBuffer& d_o, int64_t rows,
                     cudaStream_t stream);

// Does the same as run_sinks, up to rounding. `logits` is in device memory, like `o`.
void launch_sinks(const double* logits, const BoundBuffer& o, int64_t rows, cudaStream_t stream);

// Does the same as run_sink_gradient, up to the order of the sums and a last sum over blocks of
// rows: writes sums [sink_blocks(rows), query heads] in device memory.
int64_t sink_blocks(int64_t rows);
void launch_sink_sums(const double* logits, const BoundBuffer& d_o, int64_t rows, double* sums,
                      cudaStream_t stream);

// Does the same as fill_input (inputs.h), bit for bit.
void launch_fill_input(const Matrix& matrix, Input input, Range tokens, int64_t row, uint64_t seed,
                       cudaStream_t stream);

}  // namespace cpbench
