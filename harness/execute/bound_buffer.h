// Buffers at their addresses, and their parts as matrices for kernels.
#pragma once

#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>

#include "harness/execute/kernel.h"
#include "harness/execute/row_ops.h"

namespace cpbench {

// Aligned bytes, all ones at first: NaN in every element type, so that a read of what was never
// written cannot pass for a result. Writing them also claims the pages ahead of time.
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

// One part of a buffer from `heads.begin` (a head of the tensor) on.
inline Matrix matrix_of(const BoundBuffer& buffer, int32_t part, Heads heads) {
  const Part& p = buffer.parts.part[part];
  const int64_t skipped = (heads.begin - buffer.heads.begin) * p.width;
  return {buffer.data + p.offset + bytes_of(p.dtype) * skipped, p.dtype, heads.size(), p.width,
          buffer.heads.size() * p.width};
}

}  // namespace cpbench
