// A call on cuDNN as a list of steps. Besides what steps.h describes, its machine must have
//
//   void forward(const CudnnForwardInput&);
//   void backward(const CudnnBackwardInput&);
#pragma once

#include <bit>
#include <compare>
#include <optional>
#include <vector>

#include "harness/execute_cuda/attention/cudnn_layout.h"
#include "harness/execute_cuda/attention/steps.h"

namespace cpbench {

// The shape for which a graph is built. Each execution passes addresses, lengths and offsets.
// Scores are scaled by 1 / sqrt(width).
struct CudnnShape {
  bool backward = false;
  Window window;
  int32_t batch = 0, max_q = 0, max_kv = 0;
  int64_t total_q = 0, total_kv = 0;  // only backward
  int32_t q_heads = 0, kv_heads = 0;
  int32_t width = 0, value_width = 0;
  // Elements from row to row.
  int64_t q_stride = 0, k_stride = 0, v_stride = 0, o_stride = 0, stats_stride = 0;
  int64_t d_o_stride = 0, dq_stride = 0, dk_stride = 0, dv_stride = 0;  // only backward
  auto operator<=>(const CudnnShape&) const = default;
};

struct CudnnTensor {
  void* data = nullptr;              // must be aligned to 16 bytes
  const int64_t* offsets = nullptr;  // [batch + 1]: elements from `data` to each piece
};

struct CudnnForwardInput {
  CudnnShape shape;
  const int32_t* q_rows = nullptr;   // [batch]
  const int32_t* kv_rows = nullptr;  // [batch]
  CudnnTensor q, k, v, o, stats;     // stats: log-sum-exp, float32
};
struct CudnnBackwardInput : CudnnForwardInput {
  CudnnTensor d_o, dq, dk, dv;
};

// The offsets of all tensors of a step, in one array.
template <typename Machine>
class RaggedOffsets {
 public:
  // Returns the number by which `at` finds them.
  int32_t add(const std::vector<int32_t>& starts, int64_t stride) {
    const std::vector<int64_t> offsets = ragged_offsets(starts, stride);
    size_ = static_cast<int64_t>(offsets.size());
    list_.insert(list_.end(), offsets.begin(), offsets.end());
    return count_++;
  }
  void upload() {
    array_.emplace(std::span<const int64_t>(list_));
    list_.clear();
  }
  const int64_t* at(int32_t which) const { return array_->data() + which * size_; }

 private:
  std::vector<int64_t> list_;
  std::optional<typename Machine::template Array<int64_t>> array_;
  int64_t size_ = 0;
  int32_t count_ = 0;
};

inline bool on_16_bytes(const Matrix& m) { return reinterpret_cast<uintptr_t>(m.data) % 16 == 0; }

// The part of the shape that forward and backward have in common.
inline CudnnShape cudnn_shape(const CudnnLayout& layout, const Matrix& q, const Matrix& k,
                              const Matrix& v) {
  CudnnShape shape;
  shape.window = layout.window;
  shape.batch = layout.batch;
  shape.max_q = layout.max_q;
  shape.max_kv = layout.max_kv;
  shape.q_heads = q.heads;
  shape.kv_heads = k.heads;
  shape.width = static_cast<int32_t>(q.width);
  shape.value_width = static_cast<int32_t>(v.width);
  shape.q_stride = q.row_stride;
  shape.k_stride = k.row_stride;
  shape.v_stride = v.row_stride;
  return shape;
}

template <typename Machine>
class CudnnForwardCall {
 public:
  explicit CudnnForwardCall(const ForwardCall& call)
      : CudnnForwardCall(call, pieces_of(call.segments, call.heads.size())) {}

  int64_t scratch_bytes() const {
    int64_t bytes = 0;
    for (const Step& step : steps_) bytes = std::max(bytes, step.temporaries(nullptr).bytes);
    return bytes;
  }

  void run(Machine& machine, std::byte* scratch) const {
    for (const Step& step : steps_) step.run(machine, scratch);
    blank_.run(machine, o_, lse_);
  }

  template <typename Visit>
  void for_each_shape(const Visit& visit) const {
    for (const Step& step : steps_) visit(step.shape);
  }

 private:
  struct Temporaries {
    BFloat16* o = nullptr;
    float* stats = nullptr;
    int64_t bytes = 0;
  };

  // One group of pieces and one block of heads.
  struct Step {
    Step(const CudnnLayout& l, const ForwardCall& call, const HeadBlock& block)
        : q(heads_of(call.q, block.q)),
          k(heads_of(call.k, block.kv)),
          v(heads_of(call.v, block.kv)),
          o(heads_of(call.o, block.q)),
          lse(heads_of(call.lse, block.q)),
          first_q(l.first_q),
          first_kv(l.first_kv),
          first_out(l.first_out),
          span(l.q_span),
          q_rows(std::span<const int32_t>(l.q_rows)),
          kv_rows(std::span<const int32_t>(l.kv_rows)),
          stores(l.stores),
          shape(cudnn_shape(l, q, k, v)) {
      // The forward pass launches nothing for keys, so one graph serves up to twice as many.
      shape.max_kv = static_cast<int32_t>(std::bit_ceil(static_cast<uint32_t>(l.max_kv)));
      shape.o_stride = o_in_place() ? o.row_stride : o.heads * o.width;
      shape.stats_stride = stats_in_place() ? lse.row_stride : lse.heads;
      q_offsets = offsets.add(l.q_starts, shape.q_stride);
      k_offsets = offsets.add(l.kv_starts, shape.k_stride);
      v_offsets = offsets.add(l.kv_starts, shape.v_stride);
      o_offsets = offsets.add(o_in_place() ? l.out_starts : l.q_starts, shape.o_stride);
      stats_offsets = offsets.add(stats_in_place() ? l.out_starts : l.q_starts, shape.stats_stride);
      offsets.upload();
    }

    bool o_in_place() const { return o.dtype == Dtype::bfloat16 && rows_of(o).aligned; }
    bool stats_in_place() const { return on_16_bytes(lse); }

    Temporaries temporaries(std::byte* base) const {
      Temporaries t;
      Scratch scratch(base);
      if (!o_in_place()) scratch.take(t.o, int64_t{span} * o.heads * o.width);
      if (!stats_in_place()) scratch.take(t.stats, int64_t{span} * lse.heads);
      t.bytes = scratch.bytes();
      return t;
    }

    void run(Machine& machine, std::byte* scratch) const {
      const Temporaries t = temporaries(scratch);
      CudnnForwardInput in;
      in.shape = shape;
      in.q_rows = q_rows.data();
      in.kv_rows = kv_rows.data();
      in.q = {q.at<BFloat16>(first_q, 0), offsets.at(q_offsets)};
      in.k = {k.at<BFloat16>(first_kv, 0), offsets.at(k_offsets)};
      in.v = {v.at<BFloat16>(first_kv, 0), offsets.at(v_offsets)};
      in.o = {t.o ? t.o : o.at<BFloat16>(first_out, 0), offsets.at(o_offsets)};
      in.stats = {t.stats ? t.stats : lse.at<float>(first_out, 0), offsets.at(stats_offsets)};
      machine.forward(in);
      if (t.o) store_output(machine, stores, dense_rows(t.o, shape.o_stride), o);
      if (t.stats) {
        machine.launch(CopySideData{stores,
                                    {t.stats, shape.stats_stride},
                                    {lse.at<float>(0, 0), lse.row_stride},
                                    lse.heads});
      }
    }

    Matrix q, k, v, o, lse;
    int32_t first_q, first_kv, first_out, span;
    typename Machine::template Array<int32_t> q_rows, kv_rows;
    UploadedMoves<Machine> stores;
    CudnnShape shape;
    RaggedOffsets<Machine> offsets;
    int32_t q_offsets, k_offsets, v_offsets, o_offsets, stats_offsets;
  };

  CudnnForwardCall(const ForwardCall& call, const CallPieces& pieces)
      : o_(call.o), lse_(call.lse), blank_(pieces.blank) {
    for (const PieceGroup& group : pieces.groups) {
      const CudnnLayout layout = cudnn_layout(group);
      for (const HeadBlock& block : head_blocks(call.shape, call.heads)) {
        steps_.emplace_back(layout, call, block);
      }
    }
  }

  Matrix o_, lse_;
  std::vector<Step> steps_;
  BlankStep<Machine> blank_;
};

template <typename Machine>
class CudnnBackwardCall {
 public:
  explicit CudnnBackwardCall(const BackwardCall& call) {
    for (const PieceGroup& group : pieces_of(call.segments, call.heads.size()).groups) {
      const CudnnLayout layout = cudnn_layout(group);
      for (const HeadBlock& block : head_blocks(call.shape, call.heads)) {
        steps_.emplace_back(layout, call, block);
      }
    }
  }

  int64_t scratch_bytes() const {
    int64_t bytes = 0;
    for (const Step& step : steps_) bytes = std::max(bytes, step.temporaries(nullptr).bytes);
    return bytes;
  }

  void run(Machine& machine, std::byte* scratch) const {
    for (const Step& step : steps_) step.run(machine, scratch);
  }

  template <typename Visit>
  void for_each_shape(const Visit& visit) const {
    for (const Step& step : steps_) visit(step.shape);
  }

 private:
  struct Temporaries {
    BFloat16 *o = nullptr, *dq = nullptr, *dk = nullptr, *dv = nullptr;
    BFloat16* d_o = nullptr;  // nullptr: the call's matrix is used
    float* stats = nullptr;   // nullptr: the call's matrix is used
    int64_t bytes = 0;
  };

  struct Step {
    Step(const CudnnLayout& l, const BackwardCall& call, const HeadBlock& block)
        : q(heads_of(call.q, block.q)),
          k(heads_of(call.k, block.kv)),
          v(heads_of(call.v, block.kv)),
          d_o(heads_of(call.d_o, block.q)),
          lse(heads_of(call.lse, block.q)),
          row_sums(heads_of(call.row_sums, block.q)),
          dq(heads_of(call.dq, block.q)),
          dk(heads_of(call.dk, block.kv)),
          dv(heads_of(call.dv, block.kv)),
          first_q(l.first_q),
          first_kv(l.first_kv),
          span(l.q_span),
          dkv_span(l.dkv_span),
          q_rows(std::span<const int32_t>(l.q_rows)),
          kv_rows(std::span<const int32_t>(l.kv_rows)),
          q_moves(l.q_moves),
          add_dq(l.dq),
          add_dkv(l.dkv),
          shape(cudnn_shape(l, q, k, v)) {
      shape.backward = true;
      shape.total_q = l.total_q;
      shape.total_kv = l.total_kv;
      shape.o_stride = d_o.heads * d_o.width;
      shape.d_o_stride = d_o_in_place() ? d_o.row_stride : shape.o_stride;
      shape.stats_stride = stats_in_place() ? lse.row_stride : lse.heads;
      shape.dq_stride = q.heads * q.width;
      shape.dk_stride = k.heads * k.width;
      shape.dv_stride = v.heads * v.width;
      q_offsets = offsets.add(l.q_starts, shape.q_stride);
      k_offsets = offsets.add(l.kv_starts, shape.k_stride);
      v_offsets = offsets.add(l.kv_starts, shape.v_stride);
      o_offsets = offsets.add(l.q_starts, shape.o_stride);
      d_o_offsets = offsets.add(l.q_starts, shape.d_o_stride);
      stats_offsets = offsets.add(l.q_starts, shape.stats_stride);
      dq_offsets = offsets.add(l.q_starts, shape.dq_stride);
      dk_offsets = offsets.add(l.dkv_starts, shape.dk_stride);
      dv_offsets = offsets.add(l.dkv_starts, shape.dv_stride);
      offsets.upload();
    }

    bool d_o_in_place() const { return rows_of(d_o).aligned; }
    bool stats_in_place() const { return on_16_bytes(lse); }

    Temporaries temporaries(std::byte* base) const {
      Temporaries t;
      Scratch scratch(base);
      const int64_t rows = span, kv_rows = dkv_span;
      scratch.take(t.o, rows * shape.o_stride);
      scratch.take(t.dq, rows * shape.dq_stride);
      scratch.take(t.dk, kv_rows * shape.dk_stride);
      scratch.take(t.dv, kv_rows * shape.dv_stride);
      if (!d_o_in_place()) scratch.take(t.d_o, rows * shape.d_o_stride);
      if (!stats_in_place()) scratch.take(t.stats, rows * shape.stats_stride);
      t.bytes = scratch.bytes();
      return t;
    }

    void run(Machine& machine, std::byte* scratch) const {
      const Temporaries t = temporaries(scratch);
      machine.launch(MakeOutput<Machine::kHeadLanes>{
          q_moves, rows_of(d_o), row_sums.at<float>(0, 0), row_sums.row_stride,
          Rows<BFloat16>::of(t.o, shape.o_stride), d_o.heads, static_cast<int32_t>(d_o.width)});
      if (t.d_o) {
        machine.launch(CopyRows<BFloat16>{
            q_moves, rows_of(d_o), Rows<BFloat16>::of(t.d_o, shape.d_o_stride), vectors_of(d_o)});
      }
      if (t.stats) {
        machine.launch(CopySideData{q_moves,
                                    {lse.at<float>(0, 0), lse.row_stride},
                                    {t.stats, shape.stats_stride},
                                    lse.heads});
      }
      CudnnBackwardInput in;
      in.shape = shape;
      in.q_rows = q_rows.data();
      in.kv_rows = kv_rows.data();
      in.q = {q.at<BFloat16>(first_q, 0), offsets.at(q_offsets)};
      in.k = {k.at<BFloat16>(first_kv, 0), offsets.at(k_offsets)};
      in.v = {v.at<BFloat16>(first_kv, 0), offsets.at(v_offsets)};
      in.o = {t.o, offsets.at(o_offsets)};
      in.d_o = {t.d_o ? t.d_o : d_o.at<BFloat16>(first_q, 0), offsets.at(d_o_offsets)};
      in.stats = {t.stats ? t.stats : lse.at<float>(first_q, 0), offsets.at(stats_offsets)};
      in.dq = {t.dq, offsets.at(dq_offsets)};
      in.dk = {t.dk, offsets.at(dk_offsets)};
      in.dv = {t.dv, offsets.at(dv_offsets)};
      machine.backward(in);
      machine.launch(add_dq.add(dense_rows(t.dq, shape.dq_stride), dq));
      machine.launch(add_dkv.add(dense_rows(t.dk, shape.dk_stride), dk));
      machine.launch(add_dkv.add(dense_rows(t.dv, shape.dv_stride), dv));
    }

    Matrix q, k, v, d_o, lse, row_sums, dq, dk, dv;
    int32_t first_q, first_kv, span, dkv_span;
    typename Machine::template Array<int32_t> q_rows, kv_rows;
    UploadedMoves<Machine> q_moves;
    UploadedSums<Machine> add_dq, add_dkv;
    CudnnShape shape;
    RaggedOffsets<Machine> offsets;
    int32_t q_offsets, k_offsets, v_offsets, o_offsets, stats_offsets;
    int32_t d_o_offsets, dq_offsets, dk_offsets, dv_offsets;
  };

  std::vector<Step> steps_;
};

}  // namespace cpbench
