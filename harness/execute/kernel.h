// The kernel interface. A kernel computes attention of segments and knows nothing of ranks.
//
//   const std::unique_ptr<Kernel> kernel = make_kernel("fused");
//   kernel->check(shape);   // throws if the shape is not supported
//   kernel->forward({shape, heads, segments, q, k, v, o, lse});
//
// Scores are scaled by 1 / sqrt(head_dim). All matrices are [rows, heads, width]: the heads of a
// row are contiguous, and rows are `row_stride` elements apart. The query matrices hold the query
// heads `heads`, and the KV matrices the KV heads that these read. Segments (program.h) say which
// query rows see which keys.
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
  int64_t row_stride = 0;  // elements from row to row

  template <typename T>
  T* at(int64_t row, int64_t head) const {
    return reinterpret_cast<T*>(data) + row * row_stride + head * width;
  }
};

// Inputs are in the model's dtype and outputs in the accumulation dtype; O may be in either.
struct ForwardCall {
  AttentionShape shape;
  Heads heads;
  std::span<const Segment> segments;
  Matrix q, k, v;
  Matrix o, lse;  // written at out_row; 0 and -infinity in rows that see no key
};

struct BackwardCall {
  AttentionShape shape;
  Heads heads;
  std::span<const Segment> segments;
  Matrix q, k, v, d_o;
  Matrix lse, row_sums;  // at q_row; over all keys that the query sees, not only those of this call
  Matrix dq, dk, dv;     // gradients are added to these, at out_row and dkv_row
};

// Many threads call a kernel at the same time. It keeps no state between calls.
class Kernel {
 public:
  virtual ~Kernel() = default;
  // Throws UserError if the shape is not supported.
  virtual void check(const AttentionShape&) const {}
  virtual void forward(const ForwardCall& call) const = 0;
  virtual void backward(const BackwardCall& call) const = 0;
};

// The most cores that one call uses: a rank is one core.
enum class Cores : uint8_t { one, all };

const std::vector<std::string>& kernel_names();  // the fastest first
// Throws UserError for an unknown name. Kernel "fused" is LibTorch's (torch.h).
std::unique_ptr<Kernel> make_kernel(const std::string& name, Cores cores = Cores::one);
// Returns `name`, or the fastest kernel that supports the shape for "auto". Throws UserError if the
// kernel is unknown or does not support the shape.
std::string kernel_for(const std::string& name, const AttentionShape& shape);
std::unique_ptr<Kernel> make_reference_kernel();  // plain loops in float64; the tests' oracle

// The keys [begin, end) of the segment that its query row i sees.
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

// The query rows [begin, end) of the segment that see its key row j.
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
