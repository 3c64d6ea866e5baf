// The steps between the matrices of a call and those of attention libraries, as bodies (launch.h):
// they copy, convert and add rows in order, transpose log-sum-exp, and make an output for the
// backward pass. A row has `vectors` vectors of 8 elements, and all heads of the call are
// contiguous in it.
#pragma once

#include <cstdint>
#include <limits>
#include <type_traits>

#include "harness/execute/element.h"
#include "harness/execute_cuda/attention/row_moves.h"
#include "harness/execute_cuda/launch.h"

namespace cpbench {

inline constexpr int32_t kVector =
    8;  // elements that a thread moves; head sizes are multiples of it

template <typename T>
struct alignas(16) Vector {
  T at[kVector];
};

// A matrix in memory. If its rows are not aligned to 16 bytes (O and dO follow their side data),
// each element is moved by itself.
template <typename T>
struct Rows {
  T* data = nullptr;
  int64_t stride = 0;  // elements
  bool aligned = false;

  static Rows of(T* data, int64_t stride) {
    const auto address = reinterpret_cast<uintptr_t>(data);
    const auto row_bytes = static_cast<uintptr_t>(stride) * sizeof(T);
    return {data, stride, address % 16 == 0 && row_bytes % 16 == 0};
  }
  CPBENCH_DEVICE Vector<std::remove_const_t<T>> load(int64_t row, int64_t column) const {
    using V = Vector<std::remove_const_t<T>>;
    const T* at = data + row * stride + column;
    if (aligned) return *reinterpret_cast<const V*>(at);
    V v;
    for (int32_t i = 0; i < kVector; ++i) v.at[i] = at[i];
    return v;
  }
  CPBENCH_DEVICE void store(int64_t row, int64_t column, const Vector<T>& v) const {
    T* at = data + row * stride + column;
    if (aligned) {
      *reinterpret_cast<Vector<T>*>(at) = v;
      return;
    }
    for (int32_t i = 0; i < kVector; ++i) at[i] = v.at[i];
  }
};

// The work item of a thread: a row of a list, and a part of the row.
struct Item {
  int64_t row = 0;
  int32_t part = 0;
};
CPBENCH_DEVICE inline Item item_of(int64_t index, int32_t parts) {
  if (index < int64_t{1} << 32) {  // 32-bit division is several times faster
    const auto i = static_cast<uint32_t>(index);
    const auto n = static_cast<uint32_t>(parts);
    return {i / n, static_cast<int32_t>(i % n)};
  }
  return {index / parts, static_cast<int32_t>(index % parts)};
}

// The entry of a list that contains its row `row`.
template <typename Entry>
CPBENCH_DEVICE const Entry& entry_of(const Entry* entries, int32_t count, int64_t row) {
  int32_t first = 0;
  while (count > 1) {
    const int32_t half = count / 2;
    if (entries[first + half].before <= row) {
      first += half;
      count -= half;
    } else {
      count = half;
    }
  }
  return entries[first];
}

// A list of moves, in the memory of the machine that runs the body.
struct Moves {
  const RowMove* moves = nullptr;
  int32_t count = 0;
  int64_t rows = 0;

  struct Pair {
    int64_t from, to;
  };
  CPBENCH_DEVICE Pair at(int64_t row) const {
    const RowMove& move = entry_of(moves, count, row);
    return {move.from + row - move.before, move.to + row - move.before};
  }
};

// Copies rows and converts their elements.
template <typename To>
struct CopyRows {
  Moves moves;
  Rows<const BFloat16> from;
  Rows<To> to;
  int32_t vectors;

  CPBENCH_DEVICE int64_t threads() const { return moves.rows * vectors; }
  CPBENCH_DEVICE void operator()(const Thread& t) const {
    for (int64_t index = t.index; index < threads(); index += t.count) {
      const Item item = item_of(index, vectors);
      const Moves::Pair rows = moves.at(item.row);
      const int64_t column = int64_t{item.part} * kVector;
      const Vector<BFloat16> in = from.load(rows.from, column);
      Vector<To> out;
      for (int32_t i = 0; i < kVector; ++i) out.at[i] = To(static_cast<float>(in.at[i]));
      to.store(rows.to, column, out);
    }
  }
};

// Adds source rows to target rows, in the order of the sources.
struct AddRows {
  const RowSum* sums;
  int32_t count;
  int64_t rows;
  const int32_t* sources;
  Rows<const BFloat16> from;
  Rows<float> to;
  int32_t vectors;

  CPBENCH_DEVICE int64_t threads() const { return rows * vectors; }
  CPBENCH_DEVICE void operator()(const Thread& t) const {
    for (int64_t index = t.index; index < threads(); index += t.count) {
      const Item item = item_of(index, vectors);
      const RowSum& sum = entry_of(sums, count, item.row);
      const int64_t row = item.row - sum.before;
      const int64_t column = int64_t{item.part} * kVector;
      Vector<float> total = to.load(sum.to + row, column);
      for (int32_t k = 0; k < sum.sources; ++k) {
        const int64_t source = sources[sum.first + k] + row;
        const Vector<BFloat16> in = from.load(source, column);
        for (int32_t i = 0; i < kVector; ++i) total.at[i] += static_cast<float>(in.at[i]);
      }
      to.store(sum.to + row, column, total);
    }
  }
};

// A number for each row and head. In most matrices heads are contiguous; in FlashAttention-2's
// log-sum-exp rows are.
template <typename T>
struct SideData {
  T* data;
  int64_t row_stride;
  int64_t head_stride = 1;
};

struct CopySideData {
  Moves moves;
  SideData<const float> from;
  SideData<float> to;
  int32_t heads;

  CPBENCH_DEVICE int64_t threads() const { return moves.rows * heads; }
  CPBENCH_DEVICE void operator()(const Thread& t) const {
    for (int64_t index = t.index; index < threads(); index += t.count) {
      const Item item = item_of(index, heads);
      const Moves::Pair rows = moves.at(item.row);
      to.data[rows.to * to.row_stride + item.part * to.head_stride] =
          from.data[rows.from * from.row_stride + item.part * from.head_stride];
    }
  }
};

// Writes rows that see no key: O = 0 and log-sum-exp = -infinity. A part is a head.
template <typename T>
struct BlankRows {
  Moves moves;  // only `to` is used
  T* o;
  int64_t o_stride;
  float* lse;
  int64_t lse_stride;
  int32_t heads;
  int32_t width;

  CPBENCH_DEVICE int64_t threads() const { return moves.rows * heads; }
  CPBENCH_DEVICE void operator()(const Thread& t) const {
    for (int64_t index = t.index; index < threads(); index += t.count) {
      const Item item = item_of(index, heads);
      const int64_t row = moves.at(item.row).to;
      T* out = o + row * o_stride + int64_t{item.part} * width;
      for (int32_t d = 0; d < width; ++d) out[d] = T(0.0f);
      lse[row * lse_stride + item.part] = -std::numeric_limits<float>::infinity();
    }
  }
};

// Returns the sum over `lanes` neighbouring threads in all of them. A CPU runs one thread after
// another, so there must be one lane.
template <int32_t lanes>
CPBENCH_DEVICE float sum_of_neighbours(float value) {
#ifdef __CUDA_ARCH__
  const unsigned mask = ((lanes < 32 ? 1u << (lanes % 32) : 0u) - 1u)
                        << (threadIdx.x % 32 / lanes * lanes);
  for (int32_t step = lanes / 2; step > 0; step /= 2) {
    value += __shfl_xor_sync(mask, value, step, lanes);
  }
#endif
  return value;
}

// The libraries' backward passes take the output, but use only the row sums of dO * O. Calls have
// the row sums and not the output. dO * (row sum / |dO|^2) has the same row sums, so it serves as
// output.
template <int32_t lanes>
struct MakeOutput {
  Moves moves;
  Rows<const BFloat16> d_o;
  const float* row_sums;
  int64_t sums_stride;
  Rows<BFloat16> out;
  int32_t heads;
  int32_t width;

  CPBENCH_DEVICE int64_t threads() const { return moves.rows * heads * lanes; }
  CPBENCH_DEVICE void operator()(const Thread& t) const {
    const auto lane = static_cast<int32_t>(t.index % lanes);
    for (int64_t index = t.index; index < threads(); index += t.count) {
      const Item item = item_of(index / lanes, heads);
      const Moves::Pair rows = moves.at(item.row);
      const int64_t head = int64_t{item.part} * width;
      float norm = 0;
      for (int32_t d = lane * kVector; d < width; d += lanes * kVector) {
        const Vector<BFloat16> v = d_o.load(rows.from, head + d);
        for (int32_t i = 0; i < kVector; ++i) {
          const auto x = static_cast<float>(v.at[i]);
          norm += x * x;
        }
      }
      norm = sum_of_neighbours<lanes>(norm);
      const float sum = row_sums[rows.from * sums_stride + item.part];
      const float factor = norm > 0 ? sum / norm : 0;
      for (int32_t d = lane * kVector; d < width; d += lanes * kVector) {
        Vector<BFloat16> v = d_o.load(rows.from, head + d);
        for (int32_t i = 0; i < kVector; ++i) {
          v.at[i] = BFloat16(static_cast<float>(v.at[i]) * factor);
        }
        out.store(rows.to, head + d, v);
      }
    }
  }
};

}  // namespace cpbench
