// Attention by its definition, as bodies (launch.h). A group of lanes computes one query row and
// head (output, dQ) or one key row and KV head (dK, dV), and goes through all keys that the query
// sees, or all queries that see the key, in order. A lane has every lanes-th element of a row.
// Inputs are in the model's dtype T and sums in the accumulation dtype A.
#pragma once

#include <cmath>
#include <cstdint>

#include "harness/execute/element.h"
#include "harness/execute/kernel.h"
#include "harness/execute_cuda/launch.h"

namespace cpbench {

// Elements of the result that a lane sums at a time. Wider results take several sweeps.
inline constexpr int32_t kHeld = 8;
inline constexpr int32_t kBatch = 4;  // keys, or queries, at a time

// A Matrix (kernel.h) with elements of type T.
template <typename T>
struct Rows {
  Rows() = default;
  explicit Rows(const Matrix& m)
      : data(m.at<T>(0, 0)), row_stride(m.row_stride), width(static_cast<int32_t>(m.width)) {}
  CPBENCH_DEVICE T* at(int64_t row, int64_t head) const {
    return data + row * row_stride + head * width;
  }
  T* data = nullptr;
  int64_t row_stride = 0;
  int32_t width = 0;
};

// Blocks of rows, numbered through.
struct RowBlocks {
  const int32_t* rows_before = nullptr;  // by block: the rows of all earlier blocks
  int32_t count = 0;                     // of blocks
  int64_t rows = 0;                      // of all blocks

  CPBENCH_DEVICE int32_t block_of(int64_t row) const {
    int32_t first = 0;
    for (int32_t last = count; last - first > 1;) {
      const int32_t middle = first + (last - first) / 2;
      if (rows_before[middle] <= row) {
        first = middle;
      } else {
        last = middle;
      }
    }
    return first;
  }
};

// Which KV head a query head reads. Both are numbered from the first head of the call.
struct HeadGroups {
  int32_t group = 1;     // query heads per KV head
  int32_t first = 0;     // first query head of the call
  int32_t first_kv = 0;  // first KV head of the call
  int32_t heads = 0;     // query heads of the call
  int32_t kv_heads = 0;

  CPBENCH_DEVICE int64_t kv(int64_t head) const { return (first + head) / group - first_kv; }
  CPBENCH_DEVICE int64_t begin(int64_t kv_head) const {
    const int64_t head = (first_kv + kv_head) * group - first;
    return head < 0 ? 0 : head;
  }
  CPBENCH_DEVICE int64_t end(int64_t kv_head) const {
    const int64_t head = (first_kv + kv_head + 1) * group - first;
    return head < heads ? head : heads;
  }
};

// Dot products of a row with a batch of other rows.
template <typename A, typename T>
CPBENCH_DEVICE void dot(const Thread& t, const T* row, const T* const (&others)[kBatch],
                        int32_t width, A (&sums)[kBatch]) {
  for (A& sum : sums) sum = 0;
  for (int32_t d = t.lane; d < width; d += t.lanes) {
    const A value = static_cast<A>(row[d]);
    for (int32_t b = 0; b < kBatch; ++b) sums[b] += value * static_cast<A>(others[b][d]);
  }
  for (A& sum : sums) sum = sum_over_lanes(t, sum);
}

// sum += factor * row, for the elements that the lane holds in this sweep.
template <typename A, typename T>
CPBENCH_DEVICE void add(const Thread& t, int32_t sweep, A factor, const T* row, int32_t width,
                        A (&sum)[kHeld]) {
  for (int32_t i = 0; i < kHeld; ++i) {
    const int32_t d = sweep + i * t.lanes + t.lane;
    if (d < width) sum[i] += factor * static_cast<A>(row[d]);
  }
}

template <typename T, typename A>
struct AttentionInputs {
  const Segment* segments = nullptr;
  HeadGroups groups;
  A scale = 0;
  Rows<const T> q, k, v;
};

template <typename T, typename A, typename O>
struct AttentionForward {
  AttentionInputs<T, A> in;
  RowBlocks blocks;  // query rows, by segment
  Rows<O> o;
  Rows<A> lse;

  CPBENCH_DEVICE void sweep_over(const Thread& t, int32_t sweep, const Segment& s, int64_t row,
                                 int64_t head) const {
    const Range keys = visible_rows(s, row);
    const int64_t kv_head = in.groups.kv(head);
    const T* q = in.q.at(s.q_row + row, head);
    A top = -static_cast<A>(INFINITY), total = 0;
    A sum[kHeld] = {};
    for (int64_t first = keys.begin; first < keys.end; first += kBatch) {
      const T* k[kBatch];
      int64_t j[kBatch];
      for (int32_t b = 0; b < kBatch; ++b) {
        j[b] = first + b < keys.end ? first + b : keys.end - 1;
        k[b] = in.k.at(s.kv_row + j[b], kv_head);
      }
      A score[kBatch];
      dot(t, q, k, in.q.width, score);
      const A before = top;
      for (int32_t b = 0; b < kBatch; ++b) {
        score[b] = first + b < keys.end ? score[b] * in.scale : -static_cast<A>(INFINITY);
        if (top < score[b]) top = score[b];
      }
      const A kept = std::exp(before - top);
      total *= kept;
      for (A& each : sum) each *= kept;
      for (int32_t b = 0; b < kBatch; ++b) {
        const A p = std::exp(score[b] - top);
        total += p;
        add(t, sweep, p, in.v.at(s.kv_row + j[b], kv_head), in.v.width, sum);
      }
    }
    O* out = o.at(s.out_row + row, head);
    for (int32_t i = 0; i < kHeld; ++i) {
      const int32_t d = sweep + i * t.lanes + t.lane;
      if (d < in.v.width) out[d] = static_cast<O>(total > 0 ? sum[i] / total : 0);
    }
    if (sweep == 0 && t.lane == 0) {
      *lse.at(s.out_row + row, head) = total > 0 ? top + std::log(total) : top;
    }
  }

  CPBENCH_DEVICE void operator()(const Thread& t) const {
    for (int64_t i = t.index; i < blocks.rows * in.groups.heads; i += t.count) {
      const int64_t head = i / blocks.rows, all_rows = i % blocks.rows;
      const int32_t block = blocks.block_of(all_rows);
      for (int32_t sweep = 0; sweep < in.v.width; sweep += kHeld * t.lanes) {
        sweep_over(t, sweep, in.segments[block], all_rows - blocks.rows_before[block], head);
      }
    }
  }
};

template <typename T, typename A>
struct GradientInputs : AttentionInputs<T, A> {
  Rows<const T> d_o;
  Rows<const A> lse, row_sums;
};

// The gradient of a score.
template <typename A>
CPBENCH_DEVICE A score_gradient(A scale, A p, A dp, A row_sum) {
  return scale * p * (dp - row_sum);
}

template <typename T, typename A>
struct QueryGradient {
  GradientInputs<T, A> in;
  RowBlocks blocks;  // query rows, by segment
  Rows<A> dq;

  CPBENCH_DEVICE void sweep_over(const Thread& t, int32_t sweep, const Segment& s, int64_t row,
                                 int64_t head) const {
    const Range keys = visible_rows(s, row);
    const int64_t kv_head = in.groups.kv(head);
    const T* q = in.q.at(s.q_row + row, head);
    const T* d_o = in.d_o.at(s.q_row + row, head);
    const A lse = *in.lse.at(s.q_row + row, head);
    const A row_sum = *in.row_sums.at(s.q_row + row, head);
    A sum[kHeld] = {};
    for (int64_t first = keys.begin; first < keys.end; first += kBatch) {
      const T *k[kBatch], *v[kBatch];
      for (int32_t b = 0; b < kBatch; ++b) {
        const int64_t j = first + b < keys.end ? first + b : keys.end - 1;
        k[b] = in.k.at(s.kv_row + j, kv_head);
        v[b] = in.v.at(s.kv_row + j, kv_head);
      }
      A score[kBatch], dp[kBatch];
      dot(t, q, k, in.q.width, score);
      dot(t, d_o, v, in.v.width, dp);
      for (int32_t b = 0; b < kBatch; ++b) {
        if (first + b >= keys.end) break;
        const A p = std::exp(score[b] * in.scale - lse);
        add(t, sweep, score_gradient(in.scale, p, dp[b], row_sum), k[b], in.q.width, sum);
      }
    }
    A* out = dq.at(s.out_row + row, head);
    for (int32_t i = 0; i < kHeld; ++i) {
      const int32_t d = sweep + i * t.lanes + t.lane;
      if (d < in.q.width) out[d] += sum[i];
    }
  }

  CPBENCH_DEVICE void operator()(const Thread& t) const {
    for (int64_t i = t.index; i < blocks.rows * in.groups.heads; i += t.count) {
      const int64_t head = i / blocks.rows, all_rows = i % blocks.rows;
      const int32_t block = blocks.block_of(all_rows);
      for (int32_t sweep = 0; sweep < in.q.width; sweep += kHeld * t.lanes) {
        sweep_over(t, sweep, in.segments[block], all_rows - blocks.rows_before[block], head);
      }
    }
  }
};

// Consecutive rows of dK and dV to which the same segments contribute.
struct KeyBlock {
  int32_t row = 0;  // the first row
  int32_t first_member = 0;
  int32_t members = 0;
};

template <typename T, typename A>
struct KeyGradient {
  GradientInputs<T, A> in;
  const KeyBlock* key_blocks = nullptr;
  const int32_t* members = nullptr;  // segments of all blocks, in the order of the call
  RowBlocks blocks;                  // rows of dK and dV, by key block
  Rows<A> dk, dv;

  struct Sums {
    A dk[kHeld] = {};
    A dv[kHeld] = {};
  };

  CPBENCH_DEVICE void add_segment(const Thread& t, int32_t sweep, const Segment& s, int64_t j,
                                  int64_t kv_head, Sums& sums) const {
    const Range queries = seeing_rows(s, j);
    const T* k = in.k.at(s.kv_row + j, kv_head);
    const T* v = in.v.at(s.kv_row + j, kv_head);
    for (int64_t head = in.groups.begin(kv_head); head < in.groups.end(kv_head); ++head) {
      for (int64_t first = queries.begin; first < queries.end; first += kBatch) {
        const T *q[kBatch], *d_o[kBatch];
        for (int32_t b = 0; b < kBatch; ++b) {
          const int64_t i = first + b < queries.end ? first + b : queries.end - 1;
          q[b] = in.q.at(s.q_row + i, head);
          d_o[b] = in.d_o.at(s.q_row + i, head);
        }
        A score[kBatch], dp[kBatch];
        dot(t, k, q, in.q.width, score);
        dot(t, v, d_o, in.v.width, dp);
        for (int32_t b = 0; b < kBatch; ++b) {
          if (first + b >= queries.end) break;
          const int64_t i = s.q_row + first + b;
          const A p = std::exp(score[b] * in.scale - *in.lse.at(i, head));
          add(t, sweep, p, d_o[b], in.v.width, sums.dv);
          add(t, sweep, score_gradient(in.scale, p, dp[b], *in.row_sums.at(i, head)), q[b],
              in.q.width, sums.dk);
        }
      }
    }
  }

  CPBENCH_DEVICE void operator()(const Thread& t) const {
    const int32_t widest = in.q.width < in.v.width ? in.v.width : in.q.width;
    for (int64_t i = t.index; i < blocks.rows * in.groups.kv_heads; i += t.count) {
      const int64_t kv_head = i / blocks.rows, all_rows = i % blocks.rows;
      const int32_t block = blocks.block_of(all_rows);
      const KeyBlock& keys = key_blocks[block];
      const int64_t row = keys.row + all_rows - blocks.rows_before[block];
      for (int32_t sweep = 0; sweep < widest; sweep += kHeld * t.lanes) {
        Sums sums;
        for (int32_t m = keys.first_member; m < keys.first_member + keys.members; ++m) {
          const Segment& s = in.segments[members[m]];
          add_segment(t, sweep, s, row - s.dkv_row, kv_head, sums);
        }
        for (int32_t h = 0; h < kHeld; ++h) {
          const int32_t d = sweep + h * t.lanes + t.lane;
          if (d < in.q.width) dk.at(row, kv_head)[d] += sums.dk[h];
          if (d < in.v.width) dv.at(row, kv_head)[d] += sums.dv[h];
        }
      }
    }
  }
};

}  // namespace cpbench
