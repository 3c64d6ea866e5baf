// The tensors of one attention call outside of a program: for the reference, timings and tests.
//
//   const ForwardTensors<HostBuffer> in(shape, {0, 8}, q_rows, kv_rows, ElementClass::model);
//   kernel.forward(in.call(segments));
//   const BackwardTensors<HostBuffer> out(in);
//   run_row_sums(in.o.bound, out.d_o.bound, q_rows);
//   kernel.backward(out.call(in, segments));
//
// `Owned` is HostBuffer (bound_buffer.h) or DeviceBuffer (harness/execute_cuda/device_buffer.h).
// `fill_inputs` calls fill(buffer, part, input) for each tensor that is an input.
#pragma once

#include "harness/execute/bound_buffer.h"
#include "harness/execute/inputs.h"
#include "harness/plan/plan_bytes.h"

namespace cpbench {

// The rows that segments refer to, from row 0 on.
struct RowsOfCall {
  explicit RowsOfCall(std::span<const Segment> segments) {
    for (const Segment& s : segments) {
      q = std::max<int64_t>(q, s.q_row + s.q_rows);
      kv = std::max<int64_t>(kv, s.kv_row + s.kv_rows);
    }
  }
  int64_t q = 0, kv = 0;
};

template <typename Owned>
struct ForwardTensors {
  // `heads` are the query heads of the call; `o_elements` is the class of O, not of log-sum-exp.
  ForwardTensors(const AttentionShape& shape, Heads heads, int64_t q_rows, int64_t kv_rows,
                 ElementClass o_elements)
      : shape(shape),
        heads(heads),
        q({.tensor = Tensor::q, .heads = heads, .rows = q_rows}, shape),
        kv({.tensor = Tensor::kv, .heads = kv_heads_of(heads, shape), .rows = kv_rows}, shape),
        o({.tensor = Tensor::o, .elements = o_elements, .heads = heads, .rows = q_rows}, shape) {}

  template <typename Fill>
  void fill_inputs(const Fill& fill) const {
    fill(q, 0, Input::q);
    fill(kv, 0, Input::k);
    fill(kv, 1, Input::v);
  }
  ForwardCall call(std::span<const Segment> segments) const {
    return {shape, heads, segments, q.part(0), kv.part(0), kv.part(1), o.part(1), o.part(0)};
  }

  AttentionShape shape;
  Heads heads;
  Owned q, kv, o;
};

template <typename Owned>
struct BackwardTensors {
  explicit BackwardTensors(const ForwardTensors<Owned>& in)
      : d_o({.tensor = Tensor::d_o, .heads = in.heads, .rows = in.q.layout.rows}, in.shape),
        dq(gradient(Tensor::dq, in.q.layout), in.shape),
        dkv(gradient(Tensor::dkv, in.kv.layout), in.shape) {}

  template <typename Fill>
  void fill_inputs(const Fill& fill) const {
    fill(d_o, 2, Input::d_o);
  }
  // Log-sum-exp and row sums are side data of dO: see run_row_sums.
  BackwardCall call(const ForwardTensors<Owned>& in, std::span<const Segment> segments) const {
    return {in.shape,    in.heads,    segments,    in.q.part(0), in.kv.part(0), in.kv.part(1),
            d_o.part(2), d_o.part(0), d_o.part(1), dq.part(0),   dkv.part(0),   dkv.part(1)};
  }

  Owned d_o, dq, dkv;

 private:
  static Buffer gradient(Tensor tensor, const Buffer& of) {
    return {.tensor = tensor,
            .elements = ElementClass::accumulation,
            .heads = of.heads,
            .rows = of.rows};
  }
};

}  // namespace cpbench
