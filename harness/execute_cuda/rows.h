// Row operations of a program (row_ops.h) on device buffers, enqueued on a stream.
//
//   const DeviceRuns runs(program);   // uploads all runs of a rank's program, once
//   launch_row_op(op, runs, Tensor::kv, source, target, stream);
#pragma once

#include <cuda_runtime_api.h>

#include "harness/compile/program.h"
#include "harness/execute/inputs.h"
#include "harness/execute/row_ops.h"
#include "harness/execute_cuda/device_array.h"
#include "harness/execute_cuda/row_tiles.h"

namespace cpbench {

// The runs of a program in device memory, with the rows before each in its operation.
class DeviceRuns {
 public:
  explicit DeviceRuns(const RankProgram& program);

  int64_t rows_of(const RowOp& op) const;
  RunTable table(const RowOp& op) const;  // of an operation with runs

 private:
  std::vector<int32_t> ends_;  // [program.runs]: rows of its operation up to its end
  std::vector<RowRun> host_runs_;
  DeviceArray<RowRun> runs_;
  DeviceArray<int32_t> before_;
};

// As run_row_op. Copies, conversions, sums and zeros are the same bit for bit; merges compute their
// weights in the accumulation dtype, and differ by its rounding.
void launch_row_op(const RowOp& op, const DeviceRuns& runs, Tensor tensor,
                   const BoundBuffer& source, const BoundBuffer& target, cudaStream_t stream);

// As run_row_sums, up to the order of each sum.
void launch_row_sums(const BoundBuffer& o, const BoundBuffer& d_o, int64_t rows,
                     cudaStream_t stream);

// As fill_input (inputs.h): the same values, bit for bit.
void launch_fill_input(const Matrix& matrix, Input input, Range tokens, int64_t row, uint64_t seed,
                       cudaStream_t stream);

}  // namespace cpbench
