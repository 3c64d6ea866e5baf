// A group of pieces as one call of FlashAttention's variable-length kernels: those of
// FlashAttention-2, which LibTorch's _flash_attention_forward and _flash_attention_backward run, or
// of FlashAttention-3.
//
// These kernels require (flash_api.cpp of PyTorch, flash_fwd_kernel.h and flash_bwd_kernel.h of
// flash-attention, and flash_api.cpp and seqlen.h of its folder hopper):
//   queries           sequence i has rows [q_starts[i], q_starts[i + 1]), so sequences tile the
//   query
//                     rows. Rows between pieces become sequences without keys.
//   keys, forward     sequence i has the k_used[i] rows from k_starts[i] on, in any order.
//   keys, backward    sequence i has rows [k_starts[i], k_starts[i + 1]), so sequences tile the
//   keys
//                     too. dK and dV of keys that several pieces see would race, so keys that are
//                     not yet consecutive are copied.
#pragma once

#include <cstdint>
#include <vector>

#include "harness/execute_cuda/attention/pieces.h"
#include "harness/execute_cuda/attention/row_moves.h"

namespace cpbench {

// The rows of a matrix that the library reads: in place from `first_row` on, or from a dense copy.
struct FlashRows {
  std::vector<RowMove> copy;    // from the matrix to the copy; empty: in place
  int32_t first_row = 0;        // of the matrix; 0 if copied
  int32_t rows = 0;             // that the library sees: pieces and gaps
  std::vector<int32_t> starts;  // [sequences + 1]
};

struct FlashForward {
  Window window;
  int32_t max_q = 0, max_k = 0;
  FlashRows q;
  std::vector<int32_t> k_starts;  // [sequences + 1]; rows of K and V
  std::vector<int32_t> k_used;    // [sequences]
  int32_t k_rows = 0;             // rows of K and V up to the last one used
  std::vector<RowMove> stores;    // from the library's rows to the output's
};
FlashForward flash_forward(const PieceGroup& group);

struct FlashBackward {
  Window window;
  int32_t max_q = 0, max_k = 0;
  FlashRows q;  // Q and dO
  FlashRows kv;
  std::vector<RowMove>
      q_moves;  // from rows of Q, dO, log-sum-exp and row sums to the library's rows
  RowSums dq;   // from the library's rows to those of dQ
  RowSums dkv;  // from the library's rows to those of dK and dV
};
// Without `gaps` no query row of the library is outside all pieces: copies have nothing there.
FlashBackward flash_backward(const PieceGroup& group, bool gaps = true);

}  // namespace cpbench
