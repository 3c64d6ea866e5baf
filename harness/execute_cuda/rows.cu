// Chooses the body and the size of its vectors for each row operation.
#include <algorithm>
#include <bit>
#include <limits>
#include <stdexcept>

#include "harness/execute_cuda/row_bodies.h"
#include "harness/execute_cuda/rows.h"

namespace cpbench {
namespace {

std::vector<int32_t> ends_of(const RankProgram& program) {
  std::vector<int32_t> ends(program.runs.size());
  for (const RowOp& op : program.row_ops) {
    int32_t rows = 0;
    for (int32_t i = op.first_run; i < op.first_run + op.runs; ++i) {
      ends[i] = rows += program.runs[i].rows;
    }
  }
  return ends;
}

std::vector<int32_t> before(const RankProgram& program, const std::vector<int32_t>& ends) {
  std::vector<int32_t> rows(program.runs.size());
  for (size_t i = 0; i < rows.size(); ++i) rows[i] = ends[i] - program.runs[i].rows;
  return rows;
}

// A part of a buffer, starting at a head of the tensor.
HeadRows rows_of(const BoundBuffer& buffer, int32_t part, int32_t head) {
  const Part& p = buffer.parts.part[part];
  const int64_t step = p.width * bytes_of(p.dtype);
  return {buffer.data + p.offset + (head - buffer.heads.begin) * step, buffer.heads.size() * step,
          step};
}

// Whether accesses to all rows and heads are aligned to `bytes`.
bool aligned(const HeadRows& rows, int64_t bytes) {
  return std::bit_cast<uintptr_t>(rows.data) % bytes == 0 && rows.row_stride % bytes == 0 &&
         rows.head_stride % bytes == 0;
}

// How many elements an access can have on both sides. `elements` is their number in a row, or in a
// row and head.
int32_t vector_of(HeadRows a, Dtype a_type, HeadRows b, Dtype b_type, int64_t elements) {
  const int64_t n = kAccess / std::max(bytes_of(a_type), bytes_of(b_type));
  const bool fit =
      elements % n == 0 && aligned(a, n * bytes_of(a_type)) && aligned(b, n * bytes_of(b_type));
  return fit ? static_cast<int32_t>(n) : 1;
}

RowPart part_of(const RowOp& op, const BoundBuffer& source, const BoundBuffer& target,
                int32_t index, int64_t rows) {
  // The heads of a row are moved together.
  const auto all_heads = [&](const BoundBuffer& buffer) {
    HeadRows rows = rows_of(buffer, index, op.heads.begin);
    rows.head_stride = 0;
    return rows;
  };
  const HeadRows from = all_heads(source), to = all_heads(target);
  const Dtype from_type = source.parts.part[index].dtype;
  const Dtype to_type = target.parts.part[index].dtype;
  int64_t count = op.heads.size() * target.parts.part[index].width;
  RowPart part{.source = from.data,
               .target = to.data,
               .source_stride = from.row_stride,
               .target_stride = to.row_stride,
               .raw = op.mode != RowMode::accumulate && from_type == to_type};
  if (part.raw) {
    count *= bytes_of(to_type);
    part.unit = kAccess;
    while (count % part.unit != 0 || !aligned(from, part.unit) || !aligned(to, part.unit)) {
      part.unit /= 2;
    }
  } else {
    part.unit = vector_of(from, from_type, to, to_type, count);
  }
  part.tiles = Tiles(rows, count / part.unit);
  return part;
}

template <typename Action>
void launch_move(MoveRows<Action> body, cudaStream_t stream) {
  for (int32_t p = 0; p < body.parts; ++p) {
    body.part[p].first_thread = body.threads;
    body.threads += Tiles::blocks(body.part[p].tiles.threads(), kWarp) * kWarp;
  }
  launch(body, body.threads, stream);
}

// Calls visit(From{}, To{}). Programs move elements of the model's dtype and its accumulation
// dtype.
template <typename Visit>
void with_elements(Dtype from, Dtype to, const Visit& visit) {
  with_element(from, [&](auto a) {
    with_element(to, [&](auto b) {
      constexpr bool kDouble = std::is_same_v<decltype(a), double>;
      if constexpr (kDouble == std::is_same_v<decltype(b), double>) {
        visit(a, b);
      } else {
        throw std::logic_error("float64 must not be mixed with another dtype");
      }
    });
  });
}

// The bits of a value, repeated to 64 bits.
template <typename T>
uint64_t pattern_of(T value) {
  if constexpr (sizeof(T) == 8) {
    return std::bit_cast<uint64_t>(value);
  } else {
    return std::bit_cast<uint32_t>(value) * 0x100000001u;
  }
}

// The log-sum-exp of a row that sees no key: -infinity.
uint64_t no_key_pattern(Dtype dtype) {
  return dtype == Dtype::float64 ? pattern_of(-std::numeric_limits<double>::infinity())
                                 : pattern_of(-std::numeric_limits<float>::infinity());
}

int32_t lanes_log2_of(int64_t vectors) { return log2_at_least(vectors, 5); }

int64_t groups_of(int64_t rows, int64_t heads) { return Tiles::blocks(rows * heads, kItems); }

void launch_merge(const RowOp& op, const RunTable& table, int64_t rows, const BoundBuffer& source,
                  const BoundBuffer& target, cudaStream_t stream) {
  const Part& from_part = source.parts.part[1];
  const Part& to_part = target.parts.part[1];
  const HeadRows from = rows_of(source, 1, op.heads.begin);
  const HeadRows to = rows_of(target, 1, op.heads.begin);
  const int32_t vector = vector_of(from, from_part.dtype, to, to_part.dtype, to_part.width);
  const auto run = [&](auto body) {
    body.runs = table;
    body.rows = rows;
    body.heads = op.heads.size();
    body.vectors = static_cast<int32_t>(to_part.width / vector);
    body.source_lse = rows_of(source, 0, op.heads.begin);
    body.source_o = from;
    body.lse = rows_of(target, 0, op.heads.begin);
    body.o = to;
    launch(body, groups_of(rows, body.heads), stream, lanes_log2_of(body.vectors));
  };
  with_elements(from_part.dtype, to_part.dtype, [&](auto from, auto sum) {
    using From = decltype(from);
    using Sum = decltype(sum);
    if constexpr (std::is_same_v<Sum, BFloat16>) {
      throw std::logic_error("o must be merged in the accumulation dtype");
    } else {
      if (vector > 1) {
        run(MergeRows<From, Sum, kVector<From, Sum>>());
      } else {
        run(MergeRows<From, Sum, 1>());
      }
    }
  });
}

}  // namespace

DeviceRuns::DeviceRuns(const RankProgram& program)
    : ends_(ends_of(program)),
      host_runs_(program.runs),
      runs_(std::span<const RowRun>(program.runs)),
      before_(std::span<const int32_t>(before(program, ends_))) {}

RunTable DeviceRuns::table(const RowOp& op) const {
  return {.only = host_runs_[op.first_run],
          .runs = runs_.data() + op.first_run,
          .rows_before = before_.data() + op.first_run,
          .count = op.runs};
}

int64_t DeviceRuns::rows_of(const RowOp& op) const {
  return op.runs == 0 ? 0 : ends_[op.first_run + op.runs - 1];
}

void launch_row_op(const RowOp& op, const DeviceRuns& runs, Tensor tensor,
                   const BoundBuffer& source, const BoundBuffer& target, cudaStream_t stream) {
  const int64_t rows = runs.rows_of(op);
  if (rows == 0) return;
  const RunTable table = runs.table(op);
  if (op.mode == RowMode::accumulate && tensor == Tensor::o) {
    return launch_merge(op, table, rows, source, target, stream);
  }
  const BoundBuffer& from = op.mode == RowMode::clear ? target : source;
  const auto run = [&](auto body) {
    body.runs = table;
    body.parts = target.parts.count;
    for (int32_t p = 0; p < body.parts; ++p) {
      body.part[p] = part_of(op, from, target, p, rows);
    }
    if (tensor == Tensor::o) body.part[0].pattern = no_key_pattern(target.parts.part[0].dtype);
    launch_move(body, stream);
  };
  if (op.mode == RowMode::clear) return run(MoveRows<Clear>());
  const int32_t main = target.parts.count - 1;  // after the side data
  with_elements(from.parts.part[main].dtype, target.parts.part[main].dtype, [&](auto a, auto b) {
    using From = decltype(a);
    using To = decltype(b);
    if (op.mode == RowMode::accumulate) {
      run(MoveRows<Add<From, To>>());
    } else if constexpr (std::is_same_v<From, To>) {
      run(MoveRows<Copy>());
    } else {
      run(MoveRows<Convert<From, To>>());
    }
  });
}

void launch_row_sums(const BoundBuffer& o, const BoundBuffer& d_o, int64_t rows,
                     cudaStream_t stream) {
  const Part& o_part = o.parts.part[1];
  const Part& gradient_part = d_o.parts.part[2];
  const HeadRows out = rows_of(o, 1, o.heads.begin);
  const HeadRows gradient = rows_of(d_o, 2, o.heads.begin);
  const int32_t vector = vector_of(gradient, gradient_part.dtype, out, o_part.dtype, o_part.width);
  const auto run = [&](auto body) {
    body.rows = rows;
    body.heads = o.heads.size();
    body.vectors = static_cast<int32_t>(o_part.width / vector);
    body.lse = rows_of(o, 0, o.heads.begin);
    body.o = out;
    body.sent_lse = rows_of(d_o, 0, o.heads.begin);
    body.sums = rows_of(d_o, 1, o.heads.begin);
    body.gradient = gradient;
    launch(body, groups_of(rows, body.heads), stream, lanes_log2_of(body.vectors));
  };
  with_elements(gradient_part.dtype, o_part.dtype, [&](auto model, auto output) {
    using Model = decltype(model);
    using Out = decltype(output);
    using Sum = std::conditional_t<std::is_same_v<Out, double>, double, float>;
    if (vector > 1) {
      run(SumRows<Model, Out, Sum, kVector<Model, Out>>());
    } else {
      run(SumRows<Model, Out, Sum, 1>());
    }
  });
}

void launch_sinks(const double* logits, const BoundBuffer& o, int64_t rows, cudaStream_t stream) {
  const Part& part = o.parts.part[1];
  const HeadRows out = rows_of(o, 1, o.heads.begin);
  const int32_t vector = vector_of(out, part.dtype, out, part.dtype, part.width);
  const auto run = [&](auto body) {
    body.logits = logits;
    body.rows = rows;
    body.heads = o.heads.size();
    body.vectors = static_cast<int32_t>(part.width / vector);
    body.lse = rows_of(o, 0, o.heads.begin);
    body.o = out;
    launch(body, rows * body.heads, stream, lanes_log2_of(body.vectors));
  };
  with_element(part.dtype, [&](auto zero) {
    using Sum = decltype(zero);
    if constexpr (std::is_same_v<Sum, BFloat16>) {
      throw std::logic_error("o must have the accumulation dtype where there are sinks");
    } else if (vector > 1) {
      run(SinkRows<Sum, kVector<Sum, Sum>>());
    } else {
      run(SinkRows<Sum, 1>());
    }
  });
}

int64_t sink_blocks(int64_t rows) { return Tiles::blocks(rows, kRowsPerSum); }

void launch_sink_sums(const double* logits, const BoundBuffer& d_o, int64_t rows, double* sums,
                      cudaStream_t stream) {
  const auto run = [&](auto body) {
    body.logits = logits;
    body.sums = sums;
    body.blocks = sink_blocks(rows);
    body.rows = rows;
    body.heads = d_o.heads.size();
    body.lse = rows_of(d_o, 0, d_o.heads.begin);
    body.row_sums = rows_of(d_o, 1, d_o.heads.begin);
    launch(body, body.blocks * body.heads, stream, lanes_log2_of(kRowsPerSum));
  };
  if (d_o.parts.part[1].dtype == Dtype::float64) {
    run(SinkSums<double>());
  } else {
    run(SinkSums<float>());
  }
}

void launch_fill_input(const Matrix& matrix, Input input, Range tokens, int64_t row, uint64_t seed,
                       cudaStream_t stream) {
  with_element(matrix.dtype, [&](auto zero) {
    using T = decltype(zero);
    launch(FillInput<T>{.data = matrix.at<T>(row, 0),
                        .row_stride = matrix.row_stride,
                        .width = matrix.width,
                        .tokens = tokens.size(),
                        .heads = matrix.heads,
                        .first_token = tokens.begin,
                        .seed = seed,
                        .input = input},
           tokens.size() * matrix.heads, stream, lanes_log2_of(matrix.width));
  });
}

}  // namespace cpbench
