// Runs row operations: copies, conversions, sums and merges of rows between buffers.
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

// `runs` are those of the operation; `source` is not read by RowMode::clear.
void run_row_op(const RowOp& op, std::span<const RowRun> runs, Tensor tensor,
                const BoundBuffer& source, const BoundBuffer& target);

// Into do: the log-sum-exp of o, and the row sums of dO * O.
void run_row_sums(const BoundBuffer& o, const BoundBuffer& d_o, int64_t rows);

}  // namespace cpbench
