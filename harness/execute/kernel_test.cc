// The fused kernel against the plain loops, over segments of every mask, heads and dtypes.
#include "harness/execute/kernel.h"

#include <gtest/gtest.h>

#include <cmath>

#include "harness/execute/bound_buffer.h"
#include "harness/execute/element.h"
#include "harness/execute/inputs.h"
#include "harness/plan/errors.h"
#include "harness/plan/plan_bytes.h"

namespace cpbench {
namespace {

constexpr int32_t kRows = 300;

struct Tensors {
  Tensors(const AttentionShape& shape, Heads heads, ElementClass outputs)
      : shape(shape), heads(heads) {
    const Heads kv_heads = kv_heads_of(heads, shape);
    const auto make = [&](Tensor tensor, ElementClass elements, Heads of) {
      Buffer buffer{.tensor = tensor, .elements = elements, .heads = of, .rows = kRows};
      arenas.emplace_back(parts_of(buffer, shape).bytes);
      return bound_at(buffer, shape, arenas.back().data());
    };
    q = make(Tensor::q, ElementClass::model, heads);
    kv = make(Tensor::kv, ElementClass::model, kv_heads);
    o = make(Tensor::o, outputs, heads);
    d_o = make(Tensor::d_o, ElementClass::model, heads);
    dq = make(Tensor::dq, ElementClass::accumulation, heads);
    dkv = make(Tensor::dkv, ElementClass::accumulation, kv_heads);
    fill_input(matrix_of(q, 0, heads), Input::q, {0, kRows}, 0, 3);
    fill_input(matrix_of(kv, 0, kv_heads), Input::k, {0, kRows}, 0, 3);
    fill_input(matrix_of(kv, 1, kv_heads), Input::v, {0, kRows}, 0, 3);
    fill_input(matrix_of(d_o, 2, heads), Input::d_o, {0, kRows}, 0, 3);
    const RowOp clear{.mode = RowMode::clear, .heads = heads};
    const std::vector<RowRun> runs = {{0, 0, kRows}};
    run_row_op(clear, runs, Tensor::o, o, o);
    run_row_op(clear, runs, Tensor::dq, dq, dq);
    RowOp clear_kv = clear;
    clear_kv.heads = kv_heads;
    run_row_op(clear_kv, runs, Tensor::dkv, dkv, dkv);
  }
  Matrix part(const BoundBuffer& buffer, int32_t index) const {
    return matrix_of(buffer, index, buffer.heads);
  }
  void run(const Kernel& kernel, const std::vector<Segment>& segments) {
    kernel.forward(
        {shape, heads, segments, part(q, 0), part(kv, 0), part(kv, 1), part(o, 1), part(o, 0)});
    run_row_sums(o, d_o, kRows);
    kernel.backward({shape, heads, segments, part(q, 0), part(kv, 0), part(kv, 1), part(d_o, 2),
                     part(d_o, 0), part(d_o, 1), part(dq, 0), part(dkv, 0), part(dkv, 1)});
  }
  AttentionShape shape;
  Heads heads;
  std::vector<Arena> arenas;
  BoundBuffer q, kv, o, d_o, dq, dkv;
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
  fused.run(*make_fused_kernel(), segments);
  plain.run(*make_reference_kernel(), segments);
  double worst = 0;
  const auto compare = [&](const BoundBuffer Tensors::*buffer, int32_t part) {
    const double d = distance(fused.part(fused.*buffer, part), plain.part(plain.*buffer, part));
    if (!(d <= worst)) worst = d;
  };
  compare(&Tensors::o, 0);
  compare(&Tensors::o, 1);
  compare(&Tensors::dq, 0);
  compare(&Tensors::dkv, 0);
  compare(&Tensors::dkv, 1);
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

// Each row of `out` must be that of `q`, because row sums are made of all rows at once.
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
      segment(40, 17, SegmentMask::causal),  // the first 23 rows see nothing
      segment(200, 200, SegmentMask::band, -6, 0),
      segment(280, 280, SegmentMask::band, -129, 0),
      segment(30, 20, SegmentMask::band, -12, 3),
      segment(50, 90, SegmentMask::band, 10, 40),
      segment(200, 20, SegmentMask::band, -5, 0),  // most rows see nothing
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
  try {
    make_fused_kernel()->check(shape);
    FAIL();
  } catch (const UserError& error) {
    EXPECT_STREQ(error.what(),
                 "kernel 'fused' needs value_head_dim = head_dim, not 8 and 16; "
                 "kernel 'reference' can");
  }
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

TEST(Kernels, unknown_names_are_refused) { EXPECT_THROW(make_kernel("fusd"), UserError); }

}  // namespace
}  // namespace cpbench
