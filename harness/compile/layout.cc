// Where the parts of a buffer lie.
#include <algorithm>

#include "harness/compile/program.h"

namespace cpbench {
namespace {

void append(Parts& parts, Dtype dtype, int64_t width, int64_t cells) {
  parts.part[parts.count++] = {dtype, width, parts.bytes};
  parts.bytes += bytes_of(dtype) * width * cells;
}

}  // namespace

Parts parts_of(const Buffer& buffer, const AttentionShape& shape) {
  const Dtype side = accumulation_dtype(shape.dtype);
  const Dtype main = buffer.elements == ElementClass::model ? shape.dtype : side;
  const int64_t cells = buffer.rows * buffer.heads.size();
  Parts parts;
  switch (buffer.tensor) {
    case Tensor::q:
    case Tensor::dq:
      append(parts, main, shape.head_dim, cells);
      break;
    case Tensor::kv:
    case Tensor::dkv:
      append(parts, main, shape.head_dim, cells);
      append(parts, main, shape.value_head_dim, cells);
      break;
    case Tensor::d_o:
      append(parts, side, 1, cells);
      [[fallthrough]];
    case Tensor::o:
      append(parts, side, 1, cells);
      append(parts, main, shape.value_head_dim, cells);
      break;
  }
  return parts;
}

int64_t cells_of(const Segment& s) {
  if (s.mask == SegmentMask::full) return s.q_rows * s.kv_rows;
  const int64_t last = s.mask == SegmentMask::causal ? s.kv_rows - s.q_rows : s.last;
  const int64_t first = s.mask == SegmentMask::causal ? -s.q_rows : s.first;
  int64_t cells = 0;
  for (int64_t i = 0; i < s.q_rows; ++i) {
    const int64_t begin = std::max<int64_t>(0, i + first);
    const int64_t end = std::min(s.kv_rows, i + last + 1);
    cells += std::max<int64_t>(0, end - begin);
  }
  return cells;
}

}  // namespace cpbench
