// The fused kernel equals the plain loops for segments of every mask, slices of heads and dtypes.
#include "harness/execute/kernel.h"

#include <gtest/gtest.h>

#include <cmath>

#include "harness/execute/call_tensors.h"
#include "harness/execute/element.h"
#include "harness/plan/error_of_for_tests.h"

namespace cpbench {
namespace {

constexpr int32_t kRows = 300;

struct Tensors {
  Tensors(const AttentionShape& shape, Heads heads, ElementClass o_elements)
      : in(shape, heads, kRows, kRows, o_elements), out(in) {
    const auto fill = [](const HostBuffer& buffer, int32_t part, Input input) {
      fill_input(buffer.part(part), input, {0, kRows}, 0, 3);
    };
    in.fill_inputs(fill);
    out.fill_inputs(fill);
    for (const HostBuffer* buffer : {&in.o, &out.dq, &out.dkv}) buffer->set_zero();
  }
  void run(const Kernel& kernel, const std::vector<Segment>& segments) const {
    kernel.forward(in.call(segments));
    run_row_sums(in.o.bound, out.d_o.bound, kRows);
    kernel.backward(out.call(in, segments));
  }
  ForwardTensors<HostBuffer> in;
  BackwardTensors<HostBuffer> out;
};

double distance(const Matrix& a, const Matrix& b) {
  double worst = 0;
  with_element(a.dtype, [&](auto zero) {
    using T = decltype(zero);
    for (int64_t i = 0; i < kRows * a.row_stride; ++i) {
      const double x = a.at<T>(0, 0)[i], y = b.at<T>(0, 0)[i];
      if (x == y) continue;  // equal infinities
      if (!(std::abs(x - y) <= worst)) worst = std::abs(x - y);
      if (std::isnan(worst)) return;
    }
  });
  return worst;
}

double worst_distance(const AttentionShape& shape, Heads heads,
                      const std::vector<Segment>& segments,
                      ElementClass outputs = ElementClass::accumulation) {
  Tensors fused(shape, heads, outputs), plain(shape, heads, outputs);
  fused.run(*make_kernel("fused"), segments);
  plain.run(*make_reference_kernel(), segments);
  double worst = 0;
  const auto compare = [&](const HostBuffer& a, const HostBuffer& b, int32_t part) {
    const double d = distance(a.part(part), b.part(part));
    if (!(d <= worst)) worst = d;
  };
  compare(fused.in.o, plain.in.o, 0);
  compare(fused.in.o, plain.in.o, 1);
  compare(fused.out.dq, plain.out.dq, 0);
  compare(fused.out.dkv, plain.out.dkv, 0);
  compare(fused.out.dkv, plain.out.dkv, 1);
  return worst;
}

AttentionShape shape_of(int32_t heads, int32_t kv_heads, Dtype dtype = Dtype::float64) {
  return {.query_heads = heads,
          .kv_heads = kv_heads,
          .head_dim = 16,
          .value_head_dim = 16,
          .dtype = dtype};
}

Segment segment(int32_t q_rows, int32_t kv_rows, SegmentMask mask, int32_t first = 0,
                int32_t last = 0) {
  return {.q_row = 3,
          .q_rows = q_rows,
          .kv_row = 5,
          .kv_rows = kv_rows,
          .out_row = 2,
          .dkv_row = 1,
          .mask = mask,
          .first = first,
          .last = last};
}

// Output rows must be the query rows, because row sums are computed of all rows at once.
Segment aligned(Segment s) {
  s.out_row = s.q_row;
  return s;
}

TEST(FusedKernel, equals_plain_loops_for_every_mask) {
  const std::vector<Segment> cases = {
      segment(1, 1, SegmentMask::full),
      segment(37, 101, SegmentMask::full),
      segment(64, 64, SegmentMask::causal),
      segment(33, 150, SegmentMask::causal),
      segment(40, 17, SegmentMask::causal),  // the first 23 rows see no key
      segment(200, 200, SegmentMask::band, -6, 0),
      segment(280, 280, SegmentMask::band, -129, 0),
      segment(30, 20, SegmentMask::band, -12, 3),
      segment(50, 90, SegmentMask::band, 10, 40),
      segment(200, 20, SegmentMask::band, -5, 0),  // most rows see no key
  };
  for (size_t i = 0; i < cases.size(); ++i) {
    EXPECT_LE(worst_distance(shape_of(2, 2), {0, 2}, {aligned(cases[i])}), 1e-11) << "case " << i;
  }
}

TEST(FusedKernel, handles_any_slice_of_grouped_heads) {
  const Segment s = aligned(segment(33, 60, SegmentMask::causal));
  for (Heads heads : {Heads{0, 8}, {0, 1}, {3, 4}, {4, 8}, {2, 7}, {1, 8}}) {
    EXPECT_LE(worst_distance(shape_of(8, 2), heads, {s}), 1e-11) << heads.begin << heads.end;
  }
}

TEST(FusedKernel, adds_gradients_of_keys_that_several_segments_share) {
  Segment a = aligned(segment(20, 50, SegmentMask::full));
  Segment b = a;
  b.q_row = b.out_row = 100;
  EXPECT_LE(worst_distance(shape_of(4, 2), {0, 4}, {a, b}), 1e-11);
}

TEST(FusedKernel, is_close_in_other_dtypes) {
  const Segment s = aligned(segment(100, 180, SegmentMask::causal));
  EXPECT_LE(worst_distance(shape_of(2, 2, Dtype::float32), {0, 2}, {s}), 2e-5);
  EXPECT_LE(worst_distance(shape_of(2, 2, Dtype::bfloat16), {0, 2}, {s}), 5e-2);
}

TEST(FusedKernel, writes_outputs_in_the_dtype_of_the_model_too) {
  const Segment blind = aligned(segment(40, 17, SegmentMask::causal));
  const Segment band = aligned(segment(200, 200, SegmentMask::band, -129, 0));
  for (const Segment& s : {aligned(segment(100, 180, SegmentMask::causal)), blind, band}) {
    EXPECT_LE(worst_distance(shape_of(2, 2, Dtype::bfloat16), {0, 2}, {s}, ElementClass::model),
              6e-2);
  }
}

TEST(FusedKernel, refuses_different_head_dims_by_name) {
  AttentionShape shape = shape_of(2, 2);
  shape.value_head_dim = 8;
  EXPECT_EQ(error_of([&] { make_kernel("fused")->check(shape); }),
            "kernel 'fused' requires value_head_dim = head_dim, not 8 and 16; "
            "kernel 'reference' supports this");
  make_reference_kernel()->check(shape);
}

TEST(Segments, a_key_is_seen_by_the_rows_that_it_is_visible_to) {
  const std::vector<Segment> cases = {
      segment(7, 11, SegmentMask::full),         segment(9, 9, SegmentMask::causal),
      segment(5, 12, SegmentMask::causal),       segment(12, 5, SegmentMask::causal),
      segment(10, 10, SegmentMask::band, -3, 0), segment(10, 4, SegmentMask::band, -12, 3),
      segment(6, 20, SegmentMask::band, 10, 12), segment(20, 6, SegmentMask::band, -15, -9),
  };
  for (const Segment& s : cases) {
    for (int64_t i = 0; i < s.q_rows; ++i) {
      for (int64_t j = 0; j < s.kv_rows; ++j) {
        const Range keys = visible_rows(s, i), queries = seeing_rows(s, j);
        EXPECT_EQ(keys.begin <= j && j < keys.end, queries.begin <= i && i < queries.end)
            << s.q_rows << " " << s.kv_rows << ", " << i << " " << j;
      }
    }
  }
}

TEST(Kernels, auto_is_the_fastest_that_supports_the_shape) {
  AttentionShape shape = shape_of(2, 2);
  EXPECT_EQ(kernel_for("auto", shape), "fused");
  EXPECT_EQ(kernel_for("reference", shape), "reference");
  shape.value_head_dim = 8;
  EXPECT_EQ(kernel_for("auto", shape), "reference");
  EXPECT_THROW(kernel_for("fused", shape), UserError);
}

TEST(Kernels, unknown_names_are_refused) { EXPECT_THROW(make_kernel("fusd"), UserError); }

}  // namespace
}  // namespace cpbench
