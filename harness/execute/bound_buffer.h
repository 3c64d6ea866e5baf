// Buffers of a program at their addresses, and their parts as matrices for kernels.
//
//   const HostBuffer kv({.tensor = Tensor::kv, .heads = {0, 2}, .rows = 64}, shape);
//   kv.part(1)   // V: 64 rows of 2 heads
#pragma once

#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>

#include "harness/execute/kernel.h"
#include "harness/execute/row_ops.h"

namespace cpbench {

// Aligned memory. Every bit is one at first, which is NaN in every element type, so a value that
// was never written cannot pass for a result. Writing the bits also maps the pages before they are
// timed.
class Arena {
 public:
  explicit Arena(int64_t bytes) {
    const auto size =
        static_cast<size_t>((bytes + kBufferAlignment) / kBufferAlignment * kBufferAlignment);
    data_.reset(static_cast<std::byte*>(std::aligned_alloc(kBufferAlignment, size)));
    if (!data_) throw std::bad_alloc();
    std::memset(data_.get(), 0xff, size);
  }
  std::byte* data() const { return data_.get(); }

 private:
  struct Free {
    void operator()(std::byte* data) const { std::free(data); }
  };
  std::unique_ptr<std::byte, Free> data_;
};

inline BoundBuffer bound_at(const Buffer& buffer, const AttentionShape& shape, std::byte* data) {
  return {data, buffer.heads, parts_of(buffer, shape)};
}

// The given heads (numbered as in the whole tensor) of one part of a buffer.
inline Matrix matrix_of(const BoundBuffer& buffer, int32_t part, Heads heads) {
  const Part& p = buffer.parts.part[part];
  const int64_t skipped = (heads.begin - buffer.heads.begin) * p.width;
  return {buffer.data + p.offset + bytes_of(p.dtype) * skipped, p.dtype, heads.size(), p.width,
          buffer.heads.size() * p.width};
}

// A buffer with memory of its own.
struct HostBuffer {
  HostBuffer(const Buffer& layout, const AttentionShape& shape)
      : layout(layout),
        arena(parts_of(layout, shape).bytes),
        bound(bound_at(layout, shape, arena.data())) {}
  Matrix part(int32_t index) const { return matrix_of(bound, index, layout.heads); }
  void set_zero() const { std::memset(arena.data(), 0, bound.parts.bytes); }

  Buffer layout;
  Arena arena;
  BoundBuffer bound;
};

}  // namespace cpbench
