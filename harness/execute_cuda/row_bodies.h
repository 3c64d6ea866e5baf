// The kernels behind rows.h, as bodies (launch.h). They are bound by memory bandwidth. Accesses
// have 16 bytes where addresses and widths allow it, and each element of a source or target is read
// at most once. If the types differ the wider one has 16 bytes, so that accesses of neighbouring
// lanes are contiguous. Buffers are aligned, and a part begins after 4 or 8 bytes of side data per
// row and head, so 16-byte accesses are possible whenever rows times heads is a multiple of 4.
// Otherwise each element is an access.
#pragma once

#include <cmath>
#include <cstdint>
#include <type_traits>

#include "harness/execute/element.h"
#include "harness/execute/inputs.h"
#include "harness/execute_cuda/launch.h"
#include "harness/execute_cuda/row_tiles.h"

namespace cpbench {

inline constexpr int32_t kAccess = 16;  // bytes

template <typename T, int N>
struct alignas(N * sizeof(T) < kAccess ? N * sizeof(T) : kAccess) Vector {
  T value[N];
};

// Elements per vector.
template <typename A, typename B>
inline constexpr int kVector = kAccess / (sizeof(A) > sizeof(B) ? sizeof(A) : sizeof(B));

// One part of both buffers, starting at the first head of the operation.
struct RowPart {
  const std::byte* source = nullptr;
  std::byte* target = nullptr;
  int64_t source_stride = 0;  // bytes, from row to row
  int64_t target_stride = 0;
  bool raw = false;      // bytes are copied without conversion
  int32_t unit = 0;      // bytes per access if raw, otherwise elements per access: kVector or 1
  uint64_t pattern = 0;  // what `clear` writes repeatedly
  Tiles tiles{};
  int64_t first_thread = 0;  // of the launch; the threads of the parts follow one another
};

// combine(target, source) returns the new target. If it takes only a source, the target is not
// read. A vector has N elements.
template <typename From, typename To, int N, typename Combine>
CPBENCH_DEVICE void move_vectors(const RowPart& part, const RunTable& runs, int64_t thread,
                                 const Combine& combine) {
  constexpr bool kReads = std::is_invocable_v<Combine, To, From>;
  Vector<From, N> from[kSlots];
  Vector<To, N> to[kSlots];
  Vector<To, N>* target[kSlots] = {};
  part.tiles.visit(thread, runs, [&](int32_t slot, const RunTable::Rows& rows, int64_t vector) {
    const auto* source = part.source + rows.source * part.source_stride;
    target[slot] =
        reinterpret_cast<Vector<To, N>*>(part.target + rows.target * part.target_stride) + vector;
    from[slot] = reinterpret_cast<const Vector<From, N>*>(source)[vector];
    if constexpr (kReads) to[slot] = *target[slot];
  });
#ifdef __CUDA_ARCH__
#pragma unroll
#endif
  for (int32_t slot = 0; slot < kSlots; ++slot) {
    if (target[slot] == nullptr) continue;
    for (int i = 0; i < N; ++i) {
      if constexpr (kReads) {
        to[slot].value[i] = combine(to[slot].value[i], from[slot].value[i]);
      } else {
        to[slot].value[i] = combine(from[slot].value[i]);
      }
    }
    *target[slot] = to[slot];
  }
}

struct alignas(16) Bits128 {
  uint64_t low, high;
};

// Calls visit(U{}) with the unsigned type of this many bytes.
template <typename Visit>
CPBENCH_DEVICE void with_unit(int32_t bytes, const Visit& visit) {
  switch (bytes) {
    case 16:
      return visit(Bits128{});
    case 8:
      return visit(uint64_t{});
    case 4:
      return visit(uint32_t{});
    default:
      return visit(uint16_t{});
  }
}

struct Same {
  template <typename T>
  CPBENCH_DEVICE T operator()(const T& value) const {
    return value;
  }
};

// RowMode::store between elements of one type.
struct Copy {
  CPBENCH_DEVICE static void run(const RowPart& part, const RunTable& runs, int64_t thread) {
    with_unit(part.unit, [&](auto unit) {
      using U = decltype(unit);
      move_vectors<U, U, 1>(part, runs, thread, Same());
    });
  }
};

template <typename To>
struct ConvertElement {
  template <typename From>
  CPBENCH_DEVICE To operator()(const From& value) const {
    return static_cast<To>(value);
  }
};

// RowMode::store between elements of different types. Side data are not converted.
template <typename From, typename To>
struct Convert {
  CPBENCH_DEVICE static void run(const RowPart& part, const RunTable& runs, int64_t thread) {
    if (part.raw) return Copy::run(part, runs, thread);
    if (part.unit > 1) {
      move_vectors<From, To, kVector<From, To>>(part, runs, thread, ConvertElement<To>());
    } else {
      move_vectors<From, To, 1>(part, runs, thread, ConvertElement<To>());
    }
  }
};

template <typename To>
struct AddElement {
  template <typename From>
  CPBENCH_DEVICE To operator()(const To& sum, const From& value) const {
    return static_cast<To>(sum + static_cast<To>(value));
  }
};

// RowMode::accumulate of dq and dkv.
template <typename From, typename To>
struct Add {
  CPBENCH_DEVICE static void run(const RowPart& part, const RunTable& runs, int64_t thread) {
    if (part.unit > 1) {
      move_vectors<From, To, kVector<From, To>>(part, runs, thread, AddElement<To>());
    } else {
      move_vectors<From, To, 1>(part, runs, thread, AddElement<To>());
    }
  }
};

CPBENCH_DEVICE inline void assign(Bits128& target, uint64_t pattern) {
  target = {pattern, pattern};
}
template <typename U>
CPBENCH_DEVICE void assign(U& target, uint64_t pattern) {
  target = static_cast<U>(pattern);
}

// RowMode::clear.
struct Clear {
  CPBENCH_DEVICE static void run(const RowPart& part, const RunTable& runs, int64_t thread) {
    with_unit(part.unit, [&](auto unit) {
      assign(unit, part.pattern);
      part.tiles.visit(thread, runs, [&](int32_t, const RunTable::Rows& rows, int64_t vector) {
        auto* target = part.target + rows.target * part.target_stride;
        reinterpret_cast<decltype(unit)*>(target)[vector] = unit;
      });
    });
  }
};

// An operation that treats each element by itself. Each thread moves its share of a tile.
template <typename Action>
struct MoveRows {
  RunTable runs;
  RowPart part[3];
  int32_t parts = 0;
  int64_t threads = 0;

  CPBENCH_DEVICE void operator()(const Thread& t) const {
    for (int64_t i = t.index; i < threads; i += t.count) {
      int32_t p = 0;
      while (p + 1 < parts && i >= part[p + 1].first_thread) ++p;
      const int64_t own = i - part[p].first_thread;
      if (own < part[p].tiles.threads()) Action::run(part[p], runs, own);
    }
  }
};

// The layout of a tensor by row and head: data + row * row_stride + head * head_stride.
struct HeadRows {
  std::byte* data = nullptr;
  int64_t row_stride = 0;  // bytes
  int64_t head_stride = 0;

  template <typename T>
  CPBENCH_DEVICE T* at(int64_t row, int64_t head) const {
    return reinterpret_cast<T*>(data + row * row_stride + head * head_stride);
  }
};

// The row and head of item i. Both fit 32 bits, because each item takes more than a byte of a GPU's
// memory.
struct RowAndHead {
  RowAndHead() = default;
  CPBENCH_DEVICE RowAndHead(int64_t i, int32_t heads)
      : row(static_cast<uint32_t>(i) / static_cast<uint32_t>(heads)),
        head(static_cast<uint32_t>(i) - row * static_cast<uint32_t>(heads)) {}
  uint32_t row = 0, head = 0;
};

inline constexpr int32_t kItems = 2;  // items (a row and a head) that a group works on at a time

// RowMode::accumulate of o: merges by log-sum-exp. The larger log-sum-exp is subtracted first, so
// that no exponential overflows. A group of lanes has one row and head, and only its first lane
// accesses the log-sum-exp. Weights are computed in type Sum.
template <typename From, typename Sum, int N>
struct MergeRows {
  RunTable runs;
  int64_t rows = 0;
  int32_t heads = 0;
  int32_t vectors = 0;  // per row and head
  HeadRows source_lse, source_o, lse, o;

  struct Item {
    Sum* lse = nullptr;
    Vector<Sum, N>* o = nullptr;
    const Vector<From, N>* source = nullptr;
    Sum other = 0;
    Sum own = 0;
    Vector<From, N> taken;  // the lane's first vector of the source
    Vector<Sum, N> kept;    // the lane's first vector of the target
  };

  CPBENCH_DEVICE void load(const Thread& t, int64_t i, Item& item) const {
    const RowAndHead at(i, heads);
    const RunTable::Rows row = runs.at(at.row);
    item.lse = lse.at<Sum>(row.target, at.head);
    item.o = o.at<Vector<Sum, N>>(row.target, at.head);
    item.source = source_o.at<Vector<From, N>>(row.source, at.head);
    if (t.lane == 0) {
      item.other = *source_lse.at<Sum>(row.source, at.head);
      item.own = *item.lse;
    }
    if (t.lane < vectors) {
      item.taken = item.source[t.lane];
      item.kept = item.o[t.lane];
    }
  }

  CPBENCH_DEVICE void merge(const Thread& t, Item& item) const {
    const Sum own = of_first_lane(t, item.own);
    const Sum other = of_first_lane(t, item.other);
    const Sum top = own < other ? other : own;
    if (std::isinf(top) && top < 0) return;  // neither has seen a key
    const Sum a = std::exp(own - top);
    const Sum b = std::exp(other - top);
    const Sum keep = a / (a + b), take = b / (a + b);
    for (int32_t v = t.lane; v < vectors; v += t.lanes) {
      if (v != t.lane) {
        item.taken = item.source[v];
        item.kept = item.o[v];
      }
      for (int i = 0; i < N; ++i) {
        item.kept.value[i] =
            item.kept.value[i] * keep + static_cast<Sum>(item.taken.value[i]) * take;
      }
      item.o[v] = item.kept;
    }
    if (t.lane == 0) *item.lse = top + std::log(a + b);
  }

  CPBENCH_DEVICE void operator()(const Thread& t) const {
    const int64_t all = rows * heads;
    for (int64_t first = t.index * kItems; first < all; first += t.count * kItems) {
      Item item[kItems];
#ifdef __CUDA_ARCH__
#pragma unroll
#endif
      for (int32_t i = 0; i < kItems; ++i) {
        if (first + i < all) load(t, first + i, item[i]);
      }
#ifdef __CUDA_ARCH__
#pragma unroll
#endif
      for (int32_t i = 0; i < kItems; ++i) {
        if (first + i < all) merge(t, item[i]);
      }
    }
  }
};

// run_sinks: a group of lanes has one row and head. Weights are computed in type Sum.
template <typename Sum, int N>
struct SinkRows {
  const double* logits = nullptr;  // [heads]
  int64_t rows = 0;
  int32_t heads = 0;
  int32_t vectors = 0;  // per row and head
  HeadRows lse, o;

  CPBENCH_DEVICE void operator()(const Thread& t) const {
    for (int64_t i = t.index; i < rows * heads; i += t.count) {
      const RowAndHead at(i, heads);
      Sum* const own_lse = lse.at<Sum>(at.row, at.head);
      const Sum own = of_first_lane(t, *own_lse);
      const Sum sink = static_cast<Sum>(logits[at.head]);
      const Sum top = own < sink ? sink : own;
      const Sum a = std::exp(own - top);
      const Sum b = std::exp(sink - top);
      auto* const values = o.at<Vector<Sum, N>>(at.row, at.head);
      for (int32_t v = t.lane; v < vectors; v += t.lanes) {
        Vector<Sum, N> kept = values[v];
        for (int k = 0; k < N; ++k) kept.value[k] *= a / (a + b);
        values[v] = kept;
      }
      if (t.lane == 0) *own_lse = top + std::log(a + b);
    }
  }
};

inline constexpr int64_t kRowsPerSum = 256;  // of the sinks' gradient

// run_sink_gradient, up to the sum over blocks of rows: a group of lanes has one block and head.
template <typename Sum>
struct SinkSums {
  const double* logits = nullptr;  // [heads]
  double* sums = nullptr;          // [blocks, heads]
  int64_t blocks = 0;              // of kRowsPerSum rows
  int64_t rows = 0;
  int32_t heads = 0;
  HeadRows lse, row_sums;

  CPBENCH_DEVICE void operator()(const Thread& t) const {
    for (int64_t i = t.index; i < blocks * heads; i += t.count) {
      const RowAndHead at(i, heads);
      const int64_t first = at.row * kRowsPerSum;
      const int64_t end = first + kRowsPerSum < rows ? first + kRowsPerSum : rows;
      double sum = 0;
      for (int64_t row = first + t.lane; row < end; row += t.lanes) {
        const double logit = logits[at.head], own = *lse.at<Sum>(row, at.head);
        sum -= std::exp(logit - own) * static_cast<double>(*row_sums.at<Sum>(row, at.head));
      }
      sum = sum_over_lanes(t, sum);
      if (t.lane == 0) sums[i] = sum;
    }
  }
};

// Writes the side data of dO: the log-sum-exp of o, and the sums of dO * O. A group of lanes has
// one row and head.
template <typename Model, typename Out, typename Sum, int N>
struct SumRows {
  int64_t rows = 0;
  int32_t heads = 0;
  int32_t vectors = 0;  // per row and head
  HeadRows lse, o, sent_lse, sums, gradient;

  CPBENCH_DEVICE Sum sum(const Thread& t, int64_t row, int64_t head) const {
    const auto* a = gradient.at<Vector<Model, N>>(row, head);
    const auto* b = o.at<Vector<Out, N>>(row, head);
    Sum total = 0;
    for (int32_t v = t.lane; v < vectors; v += t.lanes) {
      const Vector<Model, N> x = a[v];
      const Vector<Out, N> y = b[v];
      for (int i = 0; i < N; ++i) {
        total += static_cast<Sum>(x.value[i]) * static_cast<Sum>(y.value[i]);
      }
    }
    return total;
  }

  CPBENCH_DEVICE void operator()(const Thread& t) const {
    const int64_t all = rows * heads;
    for (int64_t first = t.index * kItems; first < all; first += t.count * kItems) {
      Sum total[kItems] = {};
      RowAndHead at[kItems];
#ifdef __CUDA_ARCH__
#pragma unroll
#endif
      for (int32_t i = 0; i < kItems; ++i) {
        if (first + i >= all) continue;
        at[i] = RowAndHead(first + i, heads);
        total[i] = sum(t, at[i].row, at[i].head);
      }
#ifdef __CUDA_ARCH__
#pragma unroll
#endif
      for (int32_t i = 0; i < kItems; ++i) {
        if (first + i >= all) break;
        const Sum row_sum = sum_over_lanes(t, total[i]);
        if (t.lane > 0) continue;
        *sums.at<Sum>(at[i].row, at[i].head) = row_sum;
        *sent_lse.at<Sum>(at[i].row, at[i].head) = *lse.at<Sum>(at[i].row, at[i].head);
      }
    }
  }
};

// fill_input: a group of lanes has one token and head.
template <typename T>
struct FillInput {
  T* data = nullptr;  // of the first token
  int64_t row_stride = 0;
  int64_t width = 0;
  int64_t tokens = 0;
  int32_t heads = 0;
  int64_t first_token = 0;
  uint64_t seed = 0;
  Input input = Input::q;

  CPBENCH_DEVICE void operator()(const Thread& t) const {
    for (int64_t i = t.index; i < tokens * heads; i += t.count) {
      const int64_t token = i / heads, head = i % heads;
      const uint64_t stream = input_stream(input, first_token + token, head, seed);
      T* out = data + token * row_stride + head * width;
      for (int64_t d = t.lane; d < width; d += t.lanes) {
        out[d] = static_cast<T>(input_value(stream, d));
      }
    }
  }
};

}  // namespace cpbench
