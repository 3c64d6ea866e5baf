// Where the parts of a buffer are, and other small properties of programs.
#include <algorithm>

#include "harness/compile/program.h"

namespace cpbench {
namespace {

void append(Parts& parts, Dtype dtype, int64_t width, int64_t vectors) {
  parts.part[parts.count++] = {dtype, width, parts.bytes};
  parts.bytes += bytes_of(dtype) * width * vectors;
}

}  // namespace

Parts parts_of(const Buffer& buffer, const AttentionShape& shape) {
  const Dtype side = accumulation_dtype(shape.dtype);
  const Dtype main = buffer.elements == ElementClass::model ? shape.dtype : side;
  const int64_t vectors = buffer.rows * buffer.heads.size();  // one per row and head
  Parts parts;
  if (buffer.latent) {
    append(parts, main, shape.latent_size + shape.latent_rope_size, buffer.rows);
    return parts;
  }
  switch (buffer.tensor) {
    case Tensor::q:
    case Tensor::dq:
      append(parts, main, shape.head_dim, vectors);
      break;
    case Tensor::kv:
    case Tensor::dkv:
      append(parts, main, shape.head_dim, vectors);
      append(parts, main, shape.value_head_dim, vectors);
      break;
    case Tensor::d_o:
      append(parts, side, 1, vectors);
      [[fallthrough]];
    case Tensor::o:
      append(parts, side, 1, vectors);
      append(parts, main, shape.value_head_dim, vectors);
      break;
  }
  return parts;
}

void RankProgram::clear() {
  home.clear();
  buffers.clear();
  arena_bytes = 0;
  q = kv = o = d_o = dq = dkv = latents = d_latents = -1;
  steps.clear();
  ops.clear();
  row_ops.clear();
  runs.clear();
  calls.clear();
  segments.clear();
  messages.clear();
  collectives.clear();
}

int64_t pairs_of(const Segment& s) {
  const int64_t q = s.q_rows, kv = s.kv_rows;
  if (s.mask == SegmentMask::full) return q * kv;
  if (s.mask == SegmentMask::causal) {  // the last query sees all keys
    const int64_t seeing = std::min(q, kv);
    return seeing * (kv - seeing) + seeing * (seeing + 1) / 2;
  }
  int64_t pairs = 0;
  for (int64_t i = 0; i < q; ++i) {
    const int64_t begin = std::max<int64_t>(0, i + s.first);
    const int64_t end = std::min<int64_t>(kv, i + s.last + 1);
    pairs += std::max<int64_t>(0, end - begin);
  }
  return pairs;
}

}  // namespace cpbench
