// A group of pieces as one execution of a cuDNN attention graph.
//
// A graph has fixed maxima. Each execution passes the pieces' lengths and, for each tensor, the
// element at which each piece begins (ragged offsets), so rows of Q, K, V, O, dO and log-sum-exp
// are read and written in place. If several pieces see the same keys, dK and dV of each piece get
// rows of their own. Maxima are rounded up so that few graphs serve all calls, and pieces without
// rows fill the batch.
#pragma once

#include <cstdint>
#include <vector>

#include "harness/execute_cuda/attention/pieces.h"
#include "harness/execute_cuda/attention/row_moves.h"

namespace cpbench {

// Rounds up to the next of 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, ...: by at most a quarter.
int64_t bucket_of(int64_t value);

struct CudnnLayout {
  // Maxima of the graph.
  Window window;
  int32_t batch = 0;                  // pieces
  int32_t max_q = 0, max_kv = 0;      // rows of a piece, at least kLeastRows
  int64_t total_q = 0, total_kv = 0;  // bounds of starts + rows, also in temporary tensors
  // Rows of each piece, [batch]; 0 if there is no piece.
  std::vector<int32_t> q_rows, kv_rows;
  // Where each piece starts, [batch + 1] with the end of all pieces. They are relative to these
  // rows.
  int32_t first_q = 0, first_kv = 0, first_out = 0;
  std::vector<int32_t> q_starts, kv_starts, out_starts;
  std::vector<int32_t> dkv_starts;  // rows of temporary dK, dV
  int32_t q_span = 0;               // rows of temporary O, dQ, where pieces start at q_starts
  int32_t dkv_span = 0;             // rows of temporary dK, dV
  std::vector<RowMove> stores;      // from rows of temporary O to rows of the output
  std::vector<RowMove> q_moves;     // from rows of dO and row sums to rows of temporary O
  RowSums dq, dkv;                  // from temporary dQ, and from temporary dK, dV
};

inline constexpr int32_t kLeastRows = 128;
CudnnLayout cudnn_layout(const PieceGroup& group);

// Ragged offsets in elements: starts * stride in 64 bits.
std::vector<int64_t> ragged_offsets(const std::vector<int32_t>& starts, int64_t stride);

}  // namespace cpbench
