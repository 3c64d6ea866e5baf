// A call on FlashAttention-2 or -3 as a list of steps. Besides what steps.h describes, its machine
// must have
//
//   FlashOutput forward(const FlashForwardInput&);        // the results must be valid until
//   FlashGradients backward(const FlashBackwardInput&);   // the library's next call
//   // Whether the library multiplies rows after the end of a sequence by zero, so that they must
//   be
//   // numbers. Rows of the call's matrices are, because each buffer is written as a whole.
//   static constexpr bool kReadsBeyond = ...;
#pragma once

#include <vector>

#include "harness/execute_cuda/attention/flash_layout.h"
#include "harness/execute_cuda/attention/steps.h"

namespace cpbench {

// A tensor [rows, heads, width] in the model's dtype. The heads of a row are contiguous.
struct FlashTensor {
  BFloat16* data = nullptr;
  int64_t rows = 0;
  int64_t row_stride = 0;
  int32_t heads = 0;
};

struct FlashInput {
  Window window;
  int32_t width = 0;
  double scale = 0;
  int32_t sequences = 0;
  int32_t max_q = 0, max_k = 0;
  const int32_t* q_starts = nullptr;  // [sequences + 1]
  const int32_t* k_starts = nullptr;  // [sequences + 1]
  FlashTensor q, k, v;
};
struct FlashForwardInput : FlashInput {
  const int32_t* k_used = nullptr;  // [sequences]
  BFloat16* out = nullptr;  // where the library should write the output if it can; may be null
};
struct FlashOutput {
  const BFloat16* out = nullptr;  // [q.rows, heads, width]
  const float* lse = nullptr;     // [heads, q.rows]
};
struct FlashBackwardInput : FlashInput {
  FlashTensor d_o, out;
  float* lse = nullptr;  // [heads, q.rows]
};
struct FlashGradients {
  const BFloat16* dq = nullptr;  // [q.rows, heads, width]
  const BFloat16* dk = nullptr;  // [k.rows, KV heads, width]
  const BFloat16* dv = nullptr;
};

template <typename Machine>
class FlashForwardCall {
 public:
  explicit FlashForwardCall(const ForwardCall& call)
      : FlashForwardCall(call, pieces_of(call.segments, call.heads.size())) {}

  // Without the memory that the library itself allocates.
  int64_t scratch_bytes() const {
    int64_t bytes = 0;
    for (const Step& step : steps_) {
      for (const HeadBlock& block : blocks_)
        bytes = std::max(bytes, step.copied_bytes(*this, block));
    }
    return bytes;
  }

  void run(Machine& machine, std::byte* scratch) const {
    for (const Step& step : steps_) {
      for (const HeadBlock& block : blocks_) step.run(machine, scratch, *this, block);
    }
    blank_.run(machine, o_, lse_);
  }

  // Visits the input of each library call. Its pointers are not valid.
  template <typename Visit>
  void for_each_input(const Visit& visit) const {
    for (const Step& step : steps_) {
      for (const HeadBlock& block : blocks_) visit(step.input(nullptr, *this, block));
    }
  }

 private:
  template <typename T>
  using Array = typename Machine::template Array<T>;

  struct Step {
    explicit Step(const FlashForward& f)
        : layout(f),
          q_starts(std::span<const int32_t>(f.q.starts)),
          k_starts(std::span<const int32_t>(f.k_starts)),
          k_used(std::span<const int32_t>(f.k_used)),
          copy(f.q.copy),
          stores(f.stores) {}

    int64_t copied_bytes(const FlashForwardCall& call, const HeadBlock& block) const {
      return Scratch::padded(copy.rows * block.q.size() * call.q_.width * 2);
    }

    FlashForwardInput input(std::byte* scratch, const FlashForwardCall& call,
                            const HeadBlock& block) const {
      const Matrix q = heads_of(call.q_, block.q);
      const Matrix k = heads_of(call.k_, block.kv), v = heads_of(call.v_, block.kv);
      const bool copied = copy.rows > 0;
      FlashForwardInput in;
      in.window = layout.window;
      in.width = static_cast<int32_t>(q.width);
      in.scale = call.scale_;
      in.sequences = static_cast<int32_t>(k_used.size());
      in.max_q = layout.max_q;
      in.max_k = layout.max_k;
      in.q_starts = q_starts.data();
      in.k_starts = k_starts.data();
      in.k_used = k_used.data();
      in.q = {copied ? reinterpret_cast<BFloat16*>(scratch) : q.at<BFloat16>(layout.q.first_row, 0),
              layout.q.rows, copied ? q.heads * q.width : q.row_stride, q.heads};
      in.k = {k.at<BFloat16>(0, 0), layout.k_rows, k.row_stride, k.heads};
      in.v = {v.at<BFloat16>(0, 0), layout.k_rows, v.row_stride, v.heads};
      in.out = target(heads_of(call.o_, block.q));
      return in;
    }

    // The library can write its output in place if it is one run of rows in the right dtype.
    BFloat16* target(const Matrix& o) const {
      const bool dense = o.row_stride == o.heads * o.width;
      if (o.dtype != Dtype::bfloat16 || layout.stores.size() != 1 || !dense) return nullptr;
      const auto rows = Rows<BFloat16>::of(o.at<BFloat16>(layout.stores[0].to, 0), o.row_stride);
      return rows.aligned ? rows.data : nullptr;
    }

    void run(Machine& machine, std::byte* scratch, const FlashForwardCall& call,
             const HeadBlock& block) const {
      const Matrix q = heads_of(call.q_, block.q);
      const int64_t width = q.heads * q.width;
      if (copy.rows > 0) {
        auto* copied = reinterpret_cast<BFloat16*>(scratch);
        machine.launch(
            CopyRows<BFloat16>{copy, rows_of(q), Rows<BFloat16>::of(copied, width), vectors_of(q)});
      }
      const FlashForwardInput in = input(scratch, call, block);
      const FlashOutput output = machine.forward(in);
      if (output.out != in.out) {
        store_output(machine, stores, dense_rows(output.out, width), heads_of(call.o_, block.q));
      }
      const Matrix lse = heads_of(call.lse_, block.q);
      machine.launch(CopySideData{stores,
                                  {output.lse, 1, layout.q.rows},
                                  {lse.at<float>(0, 0), lse.row_stride},
                                  lse.heads});
    }

    FlashForward layout;
    Array<int32_t> q_starts, k_starts, k_used;
    UploadedMoves<Machine> copy, stores;
  };

  FlashForwardCall(const ForwardCall& call, const CallPieces& pieces)
      : q_(call.q),
        k_(call.k),
        v_(call.v),
        o_(call.o),
        lse_(call.lse),
        scale_(scale_of(call.shape)),
        blocks_(head_blocks(call.shape, call.heads)),
        blank_(pieces.blank) {
    for (const PieceGroup& group : pieces.groups) steps_.emplace_back(flash_forward(group));
  }

  Matrix q_, k_, v_, o_, lse_;
  double scale_;
  std::vector<HeadBlock> blocks_;
  std::vector<Step> steps_;
  BlankStep<Machine> blank_;
};

template <typename Machine>
class FlashBackwardCall {
 public:
  explicit FlashBackwardCall(const BackwardCall& call)
      : call_(call), scale_(scale_of(call.shape)), blocks_(head_blocks(call.shape, call.heads)) {
    for (const PieceGroup& group : pieces_of(call.segments, call.heads.size()).groups) {
      steps_.emplace_back(flash_backward(group, !Machine::kReadsBeyond));
    }
    call_.segments = {};
  }

  int64_t scratch_bytes() const {
    int64_t bytes = 0;
    for (const Step& step : steps_) {
      for (const HeadBlock& block : blocks_) {
        bytes = std::max(bytes, step.temporaries(nullptr, *this, block).bytes);
      }
    }
    return bytes;
  }

  void run(Machine& machine, std::byte* scratch) const {
    for (const Step& step : steps_) {
      for (const HeadBlock& block : blocks_) step.run(machine, scratch, *this, block);
    }
  }

  template <typename Visit>
  void for_each_input(const Visit& visit) const {
    for (const Step& step : steps_) {
      for (const HeadBlock& block : blocks_) {
        visit(step.input(step.temporaries(nullptr, *this, block), *this, block));
      }
    }
  }

 private:
  template <typename T>
  using Array = typename Machine::template Array<T>;

  // The temporary tensors of a step; nullptr where the call's own matrix is used.
  struct Temporaries {
    BFloat16* out = nullptr;
    float* lse = nullptr;
    BFloat16 *q = nullptr, *d_o = nullptr, *k = nullptr, *v = nullptr;
    int64_t bytes = 0;
  };

  struct Step {
    explicit Step(const FlashBackward& f)
        : layout(f),
          q_starts(std::span<const int32_t>(f.q.starts)),
          k_starts(std::span<const int32_t>(f.kv.starts)),
          copy_kv(f.kv.copy),
          q_moves(f.q_moves),
          dq(f.dq),
          dkv(f.dkv) {}

    bool copies_q() const { return !layout.q.copy.empty(); }
    bool copies_kv() const { return copy_kv.rows > 0; }
    // The library requires dO to be aligned to 16 bytes, and would itself copy it if it is not
    // dense.
    bool copies_d_o(const Matrix& d_o) const {
      return copies_q() || !rows_of(d_o).aligned || d_o.row_stride != d_o.heads * d_o.width;
    }

    Temporaries temporaries(std::byte* base, const FlashBackwardCall& call,
                            const HeadBlock& block) const {
      Temporaries s;
      Scratch scratch(base);
      const int64_t q_elements = int64_t{layout.q.rows} * block.q.size() * call.call_.q.width;
      const int64_t kv_elements = int64_t{layout.kv.rows} * block.kv.size() * call.call_.q.width;
      scratch.take(s.out, q_elements);
      scratch.take(s.lse, int64_t{layout.q.rows} * block.q.size());
      if (copies_q()) scratch.take(s.q, q_elements);
      if (copies_d_o(heads_of(call.call_.d_o, block.q))) scratch.take(s.d_o, q_elements);
      if (copies_kv()) {
        scratch.take(s.k, kv_elements);
        scratch.take(s.v, kv_elements);
      }
      s.bytes = scratch.bytes();
      return s;
    }

    FlashBackwardInput input(const Temporaries& s, const FlashBackwardCall& call,
                             const HeadBlock& block) const {
      const BackwardCall& c = call.call_;
      const Matrix q = heads_of(c.q, block.q), d_o = heads_of(c.d_o, block.q);
      const Matrix k = heads_of(c.k, block.kv), v = heads_of(c.v, block.kv);
      const int64_t q_width = q.heads * q.width, kv_width = k.heads * k.width;
      FlashBackwardInput in;
      in.window = layout.window;
      in.width = static_cast<int32_t>(q.width);
      in.scale = call.scale_;
      in.sequences = static_cast<int32_t>(q_starts.size()) - 1;
      in.max_q = layout.max_q;
      in.max_k = layout.max_k;
      in.q_starts = q_starts.data();
      in.k_starts = k_starts.data();
      const int64_t first = layout.q.first_row, first_kv = layout.kv.first_row;
      const auto tensor = [](bool copied, BFloat16* copy, const Matrix& m, int64_t row,
                             int64_t rows, int64_t width) {
        return copied ? FlashTensor{copy, rows, width, m.heads}
                      : FlashTensor{m.at<BFloat16>(row, 0), rows, m.row_stride, m.heads};
      };
      in.q = tensor(copies_q(), s.q, q, first, layout.q.rows, q_width);
      in.d_o = tensor(copies_d_o(d_o), s.d_o, d_o, first, layout.q.rows, q_width);
      in.k = tensor(copies_kv(), s.k, k, first_kv, layout.kv.rows, kv_width);
      in.v = tensor(copies_kv(), s.v, v, first_kv, layout.kv.rows, kv_width);
      in.out = {s.out, layout.q.rows, q_width, q.heads};
      in.lse = s.lse;
      return in;
    }

    void run(Machine& machine, std::byte* base, const FlashBackwardCall& call,
             const HeadBlock& block) const {
      const BackwardCall& c = call.call_;
      const Temporaries s = temporaries(base, call, block);
      const FlashBackwardInput in = input(s, call, block);
      const Matrix d_o = heads_of(c.d_o, block.q), lse = heads_of(c.lse, block.q);
      const Matrix sums = heads_of(c.row_sums, block.q);
      const int64_t q_width = d_o.heads * d_o.width, kv_width = block.kv.size() * d_o.width;
      const auto copy = [&](const Moves& moves, const Matrix& from, BFloat16* to, int64_t width) {
        machine.launch(CopyRows<BFloat16>{moves, rows_of(from), Rows<BFloat16>::of(to, width),
                                          vectors_of(from)});
      };
      machine.launch(MakeOutput<Machine::kHeadLanes>{
          q_moves, rows_of(d_o), sums.at<float>(0, 0), sums.row_stride,
          Rows<BFloat16>::of(s.out, q_width), d_o.heads, static_cast<int32_t>(d_o.width)});
      machine.launch(CopySideData{
          q_moves, {lse.at<float>(0, 0), lse.row_stride}, {s.lse, 1, layout.q.rows}, lse.heads});
      if (s.q) copy(q_moves, heads_of(c.q, block.q), s.q, q_width);
      if (s.d_o) copy(q_moves, d_o, s.d_o, q_width);
      if (s.k) {
        copy(copy_kv, heads_of(c.k, block.kv), s.k, kv_width);
        copy(copy_kv, heads_of(c.v, block.kv), s.v, kv_width);
      }
      const FlashGradients gradients = machine.backward(in);
      machine.launch(dq.add(dense_rows(gradients.dq, q_width), heads_of(c.dq, block.q)));
      machine.launch(dkv.add(dense_rows(gradients.dk, kv_width), heads_of(c.dk, block.kv)));
      machine.launch(dkv.add(dense_rows(gradients.dv, kv_width), heads_of(c.dv, block.kv)));
    }

    FlashBackward layout;
    Array<int32_t> q_starts, k_starts;
    UploadedMoves<Machine> copy_kv, q_moves;
    UploadedSums<Machine> dq, dkv;
  };

  BackwardCall call_;
  double scale_;
  std::vector<HeadBlock> blocks_;
  std::vector<Step> steps_;
};

}  // namespace cpbench
