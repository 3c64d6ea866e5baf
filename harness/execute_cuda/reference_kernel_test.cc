// The GPU's reference kernel equals that of the CPU, which computes in float64, for segments of
// every mask, slices of heads and dtypes.
#include <functional>

#include "harness/execute/kernel.h"
#include "harness/execute_cuda/gpu_kernel.h"
#include "harness/execute_cuda/gpu_test.h"
#include "harness/plan/plan_bytes.h"

namespace cpbench {
namespace {

constexpr int32_t kRows = 120;

AttentionShape shape_of(int32_t heads, int32_t kv_heads, Dtype dtype = Dtype::float64,
                        int32_t head_dim = 16, int32_t value_head_dim = 24) {
  return {.query_heads = heads,
          .kv_heads = kv_heads,
          .head_dim = head_dim,
          .value_head_dim = value_head_dim,
          .dtype = dtype};
}

Segment segment(int32_t q_rows, int32_t kv_rows, SegmentMask mask, int32_t first = 0,
                int32_t last = 0) {
  return {.q_row = 3,
          .q_rows = q_rows,
          .kv_row = 5,
          .kv_rows = kv_rows,
          .out_row = 3,  // equal to q_row, because row sums are computed of all rows at once
          .dkv_row = 1,
          .mask = mask,
          .first = first,
          .last = last};
}

struct Tensors {
  Tensors(const AttentionShape& shape, Heads heads, ElementClass o_elements)
      : shape(shape),
        heads(heads),
        kv_heads(kv_heads_of(heads, shape)),
        q(layout(Tensor::q, ElementClass::model, heads), shape, 1),
        kv(layout(Tensor::kv, ElementClass::model, kv_heads), shape, 2),
        o(layout(Tensor::o, ElementClass::accumulation, heads), shape, 3),
        narrow_o(layout(Tensor::o, o_elements, heads), shape, 3),
        d_o(layout(Tensor::d_o, ElementClass::model, heads), shape, 4),
        dq(layout(Tensor::dq, ElementClass::accumulation, heads), shape, 5),
        dkv(layout(Tensor::dkv, ElementClass::accumulation, kv_heads), shape, 6) {}
  static Buffer layout(Tensor tensor, ElementClass elements, Heads of) {
    return {.tensor = tensor, .elements = elements, .heads = of, .rows = kRows};
  }
  using Side = BoundBuffer Twin::*;
  Matrix part(const Twin& twin, Side side, int32_t index) const {
    return matrix_of(twin.*side, index, (twin.*side).heads);
  }
  ForwardCall forward(Side side, const Twin& out, const std::vector<Segment>& segments) const {
    return {shape,
            heads,
            segments,
            part(q, side, 0),
            part(kv, side, 0),
            part(kv, side, 1),
            part(out, side, 1),
            part(out, side, 0)};
  }
  BackwardCall backward(Side side, const std::vector<Segment>& segments) const {
    return {shape,
            heads,
            segments,
            part(q, side, 0),
            part(kv, side, 0),
            part(kv, side, 1),
            part(d_o, side, 2),
            part(d_o, side, 0),
            part(d_o, side, 1),
            part(dq, side, 0),
            part(dkv, side, 0),
            part(dkv, side, 1)};
  }
  AttentionShape shape;
  Heads heads, kv_heads;
  Twin q, kv, o, narrow_o, d_o, dq, dkv;
};

class ReferenceKernelTest : public GpuTest {
 protected:
  void launch(const BoundCall& call) {
    const DeviceArray<std::byte> workspace(static_cast<size_t>(call.workspace_bytes()));
    call.launch(stream_, workspace.data());
    check_cuda(cudaStreamSynchronize(stream_), "cudaStreamSynchronize");
  }

  // Compares all outputs, including the rows outside the segments.
  void compare(const AttentionShape& shape, Heads heads, const std::vector<Segment>& segments,
               double tolerance, double o_tolerance,
               ElementClass o_elements = ElementClass::accumulation) {
    Tensors t(shape, heads, o_elements);
    const auto gpu = make_gpu_reference_kernel();
    const auto cpu = make_reference_kernel();
    gpu->check(shape);

    launch(*gpu->bind(t.forward(&Twin::gpu, t.narrow_o, segments)));
    cpu->forward(t.forward(&Twin::host, t.o, segments));
    const RowOp store{.mode = RowMode::store, .heads = heads};
    const std::vector<RowRun> all = {{0, 0, kRows}};
    run_row_op(store, all, Tensor::o, t.o.host, t.narrow_o.host);
    expect_close(t.narrow_o, 0, tolerance, "log-sum-exp");
    expect_close(t.narrow_o, 1, o_tolerance, "o");

    run_row_sums(t.o.host, t.d_o.host, kRows);
    t.d_o.upload();
    launch(*gpu->bind(t.backward(&Twin::gpu, segments)));
    cpu->backward(t.backward(&Twin::host, segments));
    expect_close(t.dq, 0, tolerance, "dq");
    expect_close(t.dkv, 0, tolerance, "dk");
    expect_close(t.dkv, 1, tolerance, "dv");
  }
  static void expect_close(const Twin& twin, int32_t part, double tolerance, const char* what) {
    EXPECT_LE(distance(twin.host, part, twin.download().data(), twin.host.data), tolerance) << what;
  }
};

TEST_F(ReferenceKernelTest, equals_the_cpu_for_every_mask) {
  const std::vector<Segment> cases = {
      segment(1, 1, SegmentMask::full),
      segment(37, 101, SegmentMask::full),
      segment(64, 64, SegmentMask::causal),
      segment(33, 110, SegmentMask::causal),
      segment(40, 17, SegmentMask::causal),  // the first 23 rows see no key
      segment(100, 100, SegmentMask::band, -6, 0),
      segment(30, 20, SegmentMask::band, -12, 3),
      segment(50, 90, SegmentMask::band, 10, 40),
      segment(100, 20, SegmentMask::band, -5, 0),  // most rows see no key
  };
  for (size_t i = 0; i < cases.size(); ++i) {
    SCOPED_TRACE("case " + std::to_string(i));
    compare(shape_of(2, 2), {0, 2}, {cases[i]}, 1e-11, 1e-11);
  }
}

TEST_F(ReferenceKernelTest, handles_any_slice_of_grouped_heads) {
  const Segment s = segment(33, 60, SegmentMask::causal);
  for (Heads heads : {Heads{0, 8}, {0, 1}, {3, 4}, {4, 8}, {2, 7}, {1, 8}}) {
    SCOPED_TRACE(std::to_string(heads.begin) + " " + std::to_string(heads.end));
    compare(shape_of(8, 2), heads, {s}, 1e-11, 1e-11);
  }
}

TEST_F(ReferenceKernelTest, adds_gradients_of_keys_that_several_segments_share) {
  Segment a = segment(20, 50, SegmentMask::full);
  Segment b = segment(30, 40, SegmentMask::causal);
  b.q_row = b.out_row = 40;
  b.kv_row = 25;
  b.dkv_row = 21;  // the same keys as a's rows from 20 on
  Segment c = segment(7, 9, SegmentMask::full);
  c.q_row = c.out_row = 90;
  c.kv_row = 100;
  c.dkv_row = 90;  // different keys
  compare(shape_of(4, 2), {0, 4}, {a, b, c}, 1e-11, 1e-11);
}

TEST_F(ReferenceKernelTest, handles_any_width) {
  const Segment s = segment(20, 30, SegmentMask::causal);
  for (const auto& [width, value_width] :
       std::vector<std::array<int32_t, 2>>{{1, 3}, {64, 128}, {300, 5}, {7, 270}}) {
    SCOPED_TRACE(std::to_string(width) + " " + std::to_string(value_width));
    compare(shape_of(2, 1, Dtype::float64, width, value_width), {0, 2}, {s}, 1e-11, 1e-11);
  }
}

TEST_F(ReferenceKernelTest, is_close_in_other_dtypes) {
  const Segment s = segment(100, 110, SegmentMask::causal);
  compare(shape_of(2, 2, Dtype::float32), {0, 2}, {s}, 2e-5, 2e-6);
  compare(shape_of(2, 2, Dtype::bfloat16), {0, 2}, {s}, 2e-5, 2e-6);
  // One unit in the last place of an output below 2.
  compare(shape_of(2, 2, Dtype::bfloat16), {0, 2}, {s}, 2e-5, 1.0 / 128, ElementClass::model);
}

TEST_F(ReferenceKernelTest, gives_the_same_bits_every_time) {
  const Segment s = segment(60, 90, SegmentMask::causal);
  std::vector<std::vector<std::byte>> first;
  for (int i = 0; i < 3; ++i) {
    Tensors t(shape_of(4, 2, Dtype::bfloat16), {0, 4}, ElementClass::accumulation);
    const auto gpu = make_gpu_reference_kernel();
    launch(*gpu->bind(t.forward(&Twin::gpu, t.o, {s})));
    launch(*gpu->bind(t.backward(&Twin::gpu, {s})));
    const std::vector<std::vector<std::byte>> now = {t.o.download(), t.dq.download(),
                                                     t.dkv.download()};
    if (i == 0) first = now;
    EXPECT_EQ(now, first);
  }
}

}  // namespace
}  // namespace cpbench
