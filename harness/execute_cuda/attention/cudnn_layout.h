// A group of pieces as one execution of a cuDNN attention graph.
//
// A graph has fixed maxima; each execution brings the pieces' lengths and, for every tensor, the
// element at which each piece begins (ragged offsets). So rows of Q, K, V, O, dO and log-sum-exp
// are read and written where they are. dK and dV of keys that several pieces see get rows of their
// own. Maxima are rounded up, so that few graphs serve all calls: pieces without rows fill up.
#pragma once

#include <cstdint>
#include <vector>

#include "harness/execute_cuda/attention/pieces.h"
#include "harness/execute_cuda/attention/row_moves.h"

namespace cpbench {

// The next of 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, ...: at most a quarter more.
int64_t bucket_of(int64_t value);

struct CudnnLayout {
  Window window;
  // Of the graph.
  int32_t batch = 0;
  int32_t max_q = 0, max_kv = 0;      // rows, at least kLeastRows
  int64_t total_q = 0, total_kv = 0;  // bound of starts + rows on each side, temporaries included
  // [batch]; 0 where there is no piece.
  std::vector<int32_t> q_rows, kv_rows;
  // [batch + 1], each ends with the end of its rows; relative to these rows.
  int32_t first_q = 0, first_kv = 0, first_out = 0;
  std::vector<int32_t> q_starts, kv_starts, out_starts;
  std::vector<int32_t> dkv_starts;  // rows of temporary dK, dV
  int32_t q_span = 0;               // rows of temporary O, dQ, which begin at q_starts
  int32_t dkv_span = 0;
  std::vector<RowMove> stores;   // from rows of temporary O to the output's
  std::vector<RowMove> q_moves;  // from rows of dO, row sums to those of temporary O
  RowSums dq, dkv;               // from temporary dQ; dK, dV
};

inline constexpr int32_t kLeastRows = 128;
CudnnLayout cudnn_layout(const PieceGroup& group);

// starts * stride, from 64 bits on: what a ragged offset is.
std::vector<int64_t> ragged_offsets(const std::vector<int32_t>& starts, int64_t stride);

}  // namespace cpbench
