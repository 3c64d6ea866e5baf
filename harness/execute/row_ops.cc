// The elements of one row and a range of heads are contiguous. Whole rows of equal layout are
// copied as one block.
#include "harness/execute/row_ops.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "harness/execute/element.h"

namespace cpbench {
namespace {

// One part of a buffer, starting at a row and a head.
struct View {
  View(const BoundBuffer& buffer, int32_t part, int64_t row, int32_t head)
      : dtype(buffer.parts.part[part].dtype),
        stride(buffer.heads.size() * buffer.parts.part[part].width),
        data(buffer.data + buffer.parts.part[part].offset +
             bytes_of(dtype) *
                 (row * stride + (head - buffer.heads.begin) * buffer.parts.part[part].width)) {}
  template <typename T>
  T* row(int64_t i) const {
    return reinterpret_cast<T*>(data) + i * stride;
  }
  Dtype dtype;
  int64_t stride;  // elements from row to row
  std::byte* data;
};

void store(const View& source, const View& target, int64_t rows, int64_t count) {
  if (source.stride == count && target.stride == count) {
    count *= rows;
    rows = 1;
  }
  with_element(source.dtype, [&](auto from) {
    with_element(target.dtype, [&](auto to) {
      using From = decltype(from);
      using To = decltype(to);
      for (int64_t i = 0; i < rows; ++i) {
        const From* s = source.row<From>(i);
        To* t = target.row<To>(i);
        if constexpr (std::is_same_v<From, To>) {
          std::memcpy(t, s, count * sizeof(To));
        } else {
          for (int64_t j = 0; j < count; ++j) t[j] = static_cast<To>(s[j]);
        }
      }
    });
  });
}

void add(const View& source, const View& target, int64_t rows, int64_t count) {
  with_element(source.dtype, [&](auto from) {
    with_element(target.dtype, [&](auto to) {
      using To = decltype(to);
      for (int64_t i = 0; i < rows; ++i) {
        const auto* s = source.row<decltype(from)>(i);
        To* t = target.row<To>(i);
        for (int64_t j = 0; j < count; ++j) {
          t[j] = static_cast<To>(t[j] + static_cast<To>(s[j]));
        }
      }
    });
  });
}

void clear(const View& target, int64_t rows, int64_t count, double value) {
  with_element(target.dtype, [&](auto to) {
    using To = decltype(to);
    for (int64_t i = 0; i < rows; ++i) {
      std::fill_n(target.row<To>(i), count, static_cast<To>(value));
    }
  });
}

// Merges partial results by log-sum-exp. The larger one is subtracted first, so that no exponential
// overflows.
void merge(const View& source_lse, const View& source_o, const View& lse_view, const View& o_view,
           int64_t rows, int32_t heads, int64_t width) {
  with_element(source_o.dtype, [&](auto from) {
    with_element(o_view.dtype, [&](auto to) {
      using Sum = decltype(to);
      for (int64_t i = 0; i < rows; ++i) {
        for (int32_t h = 0; h < heads; ++h) {
          Sum& lse = lse_view.row<Sum>(i)[h];
          const Sum other = source_lse.row<Sum>(i)[h];
          const double top = std::max<double>(lse, other);
          if (std::isinf(top) && top < 0) continue;  // neither has seen a key
          const double a = std::exp(lse - top);
          const double b = std::exp(other - top);
          const auto* s = source_o.row<decltype(from)>(i) + h * width;
          Sum* o = o_view.row<Sum>(i) + h * width;
          const auto keep = static_cast<Sum>(a / (a + b));
          const auto take = static_cast<Sum>(b / (a + b));
          for (int64_t d = 0; d < width; ++d) {
            o[d] = static_cast<Sum>(o[d] * keep + static_cast<Sum>(s[d]) * take);
          }
          lse = static_cast<Sum>(top + std::log(a + b));
        }
      }
    });
  });
}

void run_rows(const RowOp& op, const RowRun& run, Tensor tensor, const BoundBuffer& source,
              const BoundBuffer& target) {
  const auto source_view = [&](int32_t part) {
    return View(source, part, run.source_row, op.heads.begin);
  };
  const auto target_view = [&](int32_t part) {
    return View(target, part, run.target_row, op.heads.begin);
  };
  if (op.mode == RowMode::accumulate && tensor == Tensor::o) {
    merge(source_view(0), source_view(1), target_view(0), target_view(1), run.rows, op.heads.size(),
          target.parts.part[1].width);
    return;
  }
  for (int32_t part = 0; part < target.parts.count; ++part) {
    const int64_t count = op.heads.size() * target.parts.part[part].width;
    switch (op.mode) {
      case RowMode::store:
        store(source_view(part), target_view(part), run.rows, count);
        break;
      case RowMode::accumulate:
        add(source_view(part), target_view(part), run.rows, count);
        break;
      case RowMode::clear:
        clear(target_view(part), run.rows, count,
              tensor == Tensor::o && part == 0 ? -std::numeric_limits<double>::infinity() : 0);
        break;
    }
  }
}

}  // namespace

void run_row_op(const RowOp& op, std::span<const RowRun> runs, Tensor tensor,
                const BoundBuffer& source, const BoundBuffer& target) {
  for (const RowRun& run : runs) run_rows(op, run, tensor, source, target);
}

void run_row_sums(const BoundBuffer& o, const BoundBuffer& d_o, int64_t rows) {
  const int32_t heads = o.heads.size();
  const int64_t width = o.parts.part[1].width;
  const View lse(o, 0, 0, o.heads.begin), out(o, 1, 0, o.heads.begin);
  const View sent_lse(d_o, 0, 0, o.heads.begin), sums(d_o, 1, 0, o.heads.begin),
      gradient(d_o, 2, 0, o.heads.begin);
  store(lse, sent_lse, rows, heads);
  with_element(gradient.dtype, [&](auto model) {
    with_element(out.dtype, [&](auto output) {
      with_element(sums.dtype, [&](auto sum) {
        using Sum = decltype(sum);
        for (int64_t i = 0; i < rows; ++i) {
          for (int32_t h = 0; h < heads; ++h) {
            const auto* g = gradient.row<decltype(model)>(i) + h * width;
            const auto* o_row = out.row<decltype(output)>(i) + h * width;
            Sum total{};
            for (int64_t d = 0; d < width; ++d) {
              total = static_cast<Sum>(total + static_cast<Sum>(g[d]) * static_cast<Sum>(o_row[d]));
            }
            sums.row<Sum>(i)[h] = total;
          }
        }
      });
    });
  });
}

}  // namespace cpbench
