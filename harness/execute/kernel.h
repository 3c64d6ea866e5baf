// The kernel interface: attention of segments, nothing of ranks.
//
// Scores are scaled by 1 / sqrt(head_dim). All matrices are [rows, heads, width]; heads of one row
// lie together, rows are `row_stride` elements apart. Query heads are those of `heads`, the KV
// matrices hold the KV heads these need. Segments say which rows see which (program.h).
#pragma once

#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "harness/compile/program.h"

namespace cpbench {

struct Matrix {
  std::byte* data = nullptr;
  Dtype dtype = Dtype::float32;
  int32_t heads = 0;
  int64_t width = 0;
  int64_t row_stride = 0;  // elements

  template <typename T>
  T* at(int64_t row, int64_t head) const {
    return reinterpret_cast<T*>(data) + row * row_stride + head * width;
  }
};

// Inputs are in the model's dtype, outputs in the accumulation dtype; O may be in either.
struct ForwardCall {
  AttentionShape shape;
  Heads heads;
  std::span<const Segment> segments;
  Matrix q, k, v;
  Matrix o, lse;  // written at out_row; rows that see no key: 0 and -infinity
};

struct BackwardCall {
  AttentionShape shape;
  Heads heads;
  std::span<const Segment> segments;
  Matrix q, k, v, d_o;
  Matrix lse, row_sums;  // of the whole row, over all its keys; at q_row
  Matrix dq, dk, dv;     // added to, at out_row and dkv_row
};

// Called by many threads at once; keeps no state between calls.
class Kernel {
 public:
  virtual ~Kernel() = default;
  // Throws UserError if it cannot do this shape.
  virtual void check(const AttentionShape&) const {}
  virtual void forward(const ForwardCall& call) const = 0;
  virtual void backward(const BackwardCall& call) const = 0;
};

const std::vector<std::string>& kernel_names();
std::unique_ptr<Kernel> make_kernel(const std::string& name);  // throws UserError
std::unique_ptr<Kernel> make_reference_kernel();               // plain loops in float64: the oracle
std::unique_ptr<Kernel> make_fused_kernel();                   // LibTorch's fused CPU attention

// Keys [begin, end) of the segment that its query row i sees.
constexpr Range visible_rows(const Segment& s, int64_t i) {
  switch (s.mask) {
    case SegmentMask::full:
      return {0, s.kv_rows};
    case SegmentMask::causal:
      return {0, std::clamp<int64_t>(i + s.kv_rows - s.q_rows + 1, 0, s.kv_rows)};
    case SegmentMask::band:
      break;
  }
  const int64_t begin = std::clamp<int64_t>(i + s.first, 0, s.kv_rows);
  return {begin, std::clamp<int64_t>(i + s.last + 1, begin, s.kv_rows)};
}

// Query rows [begin, end) of the segment that see its key row j.
constexpr Range seeing_rows(const Segment& s, int64_t j) {
  switch (s.mask) {
    case SegmentMask::full:
      return {0, s.q_rows};
    case SegmentMask::causal:
      return {std::clamp<int64_t>(j + s.q_rows - s.kv_rows, 0, s.q_rows), s.q_rows};
    case SegmentMask::band:
      break;
  }
  const int64_t begin = std::clamp<int64_t>(j - s.last, 0, s.q_rows);
  return {begin, std::clamp<int64_t>(j - s.first + 1, begin, s.q_rows)};
}

}  // namespace cpbench
