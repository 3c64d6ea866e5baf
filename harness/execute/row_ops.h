// Runs row operations of a program on the CPU: they copy, convert, add and merge rows of buffers.
//
//   run_row_op(op, runs, Tensor::kv, source, target);
#pragma once

#include <span>

#include "harness/compile/program.h"

namespace cpbench {

// A buffer at its address.
struct BoundBuffer {
  std::byte* data = nullptr;
  Heads heads;
  Parts parts;
};

// `runs` must be those of the operation. RowMode::clear does not read `source`.
void run_row_op(const RowOp& op, std::span<const RowRun> runs, Tensor tensor,
                const BoundBuffer& source, const BoundBuffer& target);

// Writes the side data of dO: the log-sum-exp of o, and the row sums of dO * O.
void run_row_sums(const BoundBuffer& o, const BoundBuffer& d_o, int64_t rows);

}  // namespace cpbench
