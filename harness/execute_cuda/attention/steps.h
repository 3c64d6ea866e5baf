// Steps that calls on attention libraries have in common: lists in the memory of the machine,
// temporary tensors, and copies before and after the library runs. The machine is a parameter, so
// that tests can run complete calls on a CPU with an emulated library.
//
//   struct Machine {
//     template <typename T> using Array = ...;   // in its memory, made from a std::span<const T>
//     static constexpr int32_t kHeadLanes = ...; // threads that share a head in MakeOutput
//     void launch(const Body&);                  // runs all threads of a body
//   };
#pragma once

#include <cmath>
#include <span>
#include <type_traits>
#include <vector>

#include "harness/execute/head_blocks.h"
#include "harness/execute_cuda/attention/attention_bodies.h"
#include "harness/execute_cuda/attention/pieces.h"
#include "harness/execute_cuda/attention/row_moves.h"

namespace cpbench {

// Allocates temporary tensors one after another. Without memory it only counts their bytes.
class Scratch {
 public:
  static constexpr int64_t kAlignment = 256;  // bytes
  static int64_t padded(int64_t bytes) {
    return (bytes + kAlignment - 1) / kAlignment * kAlignment;
  }

  explicit Scratch(std::byte* base) : base_(base) {}
  template <typename T>
  void take(T*& pointer, int64_t count) {
    if (base_) pointer = reinterpret_cast<T*>(base_ + bytes_);
    bytes_ += padded(count * static_cast<int64_t>(sizeof(T)));
  }
  int64_t bytes() const { return bytes_; }

 private:
  std::byte* base_;
  int64_t bytes_ = 0;
};

template <typename Machine>
struct UploadedMoves {
  typename Machine::template Array<RowMove> moves;
  int64_t rows = 0;

  explicit UploadedMoves(const std::vector<RowMove>& list)
      : moves(std::span<const RowMove>(list)), rows(rows_of(list)) {}
  operator Moves() const { return {moves.data(), static_cast<int32_t>(moves.size()), rows}; }
};

template <typename Machine>
struct UploadedSums {
  typename Machine::template Array<RowSum> sums;
  typename Machine::template Array<int32_t> from;
  int64_t rows = 0;

  explicit UploadedSums(const RowSums& list)
      : sums(std::span<const RowSum>(list.sums)),
        from(std::span<const int32_t>(list.from)),
        rows(list.rows()) {}
  AddRows add(Rows<const BFloat16> source, const Matrix& target) const {
    const auto width = target.heads * target.width;
    return {sums.data(),
            static_cast<int32_t>(sums.size()),
            rows,
            from.data(),
            source,
            Rows<float>::of(target.at<float>(0, 0), target.row_stride),
            static_cast<int32_t>(width / kVector)};
  }
};

inline int32_t vectors_of(const Matrix& m) {
  return static_cast<int32_t>(m.heads * m.width / kVector);
}
inline Rows<const BFloat16> rows_of(const Matrix& m) {
  return Rows<const BFloat16>::of(m.at<BFloat16>(0, 0), m.row_stride);
}
inline Rows<const BFloat16> dense_rows(const BFloat16* data, int64_t width) {
  return Rows<const BFloat16>::of(data, width);
}

// Copies rows of temporary O to the O of the call.
template <typename Machine>
void store_output(Machine& machine, const Moves& moves, Rows<const BFloat16> from,
                  const Matrix& o) {
  if (o.dtype == Dtype::bfloat16) {
    machine.launch(CopyRows<BFloat16>{
        moves, from, Rows<BFloat16>::of(o.at<BFloat16>(0, 0), o.row_stride), vectors_of(o)});
  } else {
    machine.launch(CopyRows<float>{moves, from, Rows<float>::of(o.at<float>(0, 0), o.row_stride),
                                   vectors_of(o)});
  }
}

// Writes the rows of the outputs that see no key.
template <typename Machine>
class BlankStep {
 public:
  explicit BlankStep(const std::vector<RowRange>& blank) : moves_(moves_of(blank)) {}
  void run(Machine& machine, const Matrix& o, const Matrix& lse) const {
    if (moves_.rows == 0) return;
    if (o.dtype == Dtype::bfloat16) {
      run_as<BFloat16>(machine, o, lse);
    } else {
      run_as<float>(machine, o, lse);
    }
  }

 private:
  static std::vector<RowMove> moves_of(const std::vector<RowRange>& blank) {
    std::vector<RowMove> moves;
    for (const RowRange& range : blank) add_move(moves, 0, range.row, range.rows);
    return moves;
  }
  template <typename T>
  void run_as(Machine& machine, const Matrix& o, const Matrix& lse) const {
    machine.launch(BlankRows<T>{moves_, o.at<T>(0, 0), o.row_stride, lse.at<float>(0, 0),
                                lse.row_stride, o.heads, static_cast<int32_t>(o.width)});
  }
  UploadedMoves<Machine> moves_;
};

inline double scale_of(const AttentionShape& shape) { return 1 / std::sqrt(shape.head_dim); }

}  // namespace cpbench
