// The reference by matrix products equals the one that the CPU kernels compute.
#include <gtest/gtest.h>

#include <cmath>

#include "harness/execute/torch.h"

namespace cpbench {
namespace {

double distance(const std::vector<double>& a, const std::vector<double>& b) {
  EXPECT_EQ(a.size(), b.size());
  double worst = 0;
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    const double d = std::abs(a[i] - b[i]);
    if (!(d <= worst)) worst = d;
  }
  return worst;
}

void expect_equal(const Batch& batch, const AttentionShape& shape) {
  const Reference plain =
      compute_reference(batch, shape, 5, Passes::both, *make_reference_kernel());
  const Reference products = open_torch().exact_attention(batch, shape, 5, Passes::both);
  EXPECT_LE(distance(products.o, plain.o), 1e-12);
  EXPECT_LE(distance(products.dq, plain.dq), 1e-12);
  EXPECT_LE(distance(products.dk, plain.dk), 1e-12);
  EXPECT_LE(distance(products.dv, plain.dv), 1e-12);
  EXPECT_LE(distance(products.sinks, plain.sinks), 1e-12);
  EXPECT_EQ(plain.sinks.empty(), !shape.attention_sinks);
  EXPECT_NEAR(products.largest_gradient, plain.largest_gradient, 1e-12);
  EXPECT_EQ(products.query_heads, shape.query_heads);
}

AttentionShape shape_of(Dtype dtype) {
  return {.query_heads = 6, .kv_heads = 2, .head_dim = 8, .value_head_dim = 12, .dtype = dtype};
}

TEST(Torch, equals_plain_loops_for_every_mask) {
  for (Mask mask :
       {Mask::document_causal, Mask::causal, Mask::document_full, Mask::sliding_window}) {
    const Batch batch{.document_lengths = {1, 13, 40, 7},
                      .mask = mask,
                      .window = mask == Mask::sliding_window ? 5 : 0};
    expect_equal(batch, shape_of(Dtype::float64));
  }
}

TEST(Torch, equals_plain_loops_where_tokens_are_cached) {
  for (Mask mask : {Mask::document_causal, Mask::causal, Mask::sliding_window}) {
    const Batch batch{.document_lengths = {9, 30},
                      .mask = mask,
                      .window = mask == Mask::sliding_window ? 12 : 0,
                      .cached_tokens = {4, 20}};
    expect_equal(batch, shape_of(Dtype::float64));
  }
}

TEST(Torch, equals_plain_loops_for_forests) {
  const Batch batch{.document_lengths = {9, 13, 8, 0, 10, 7},
                    .cached_tokens = {0, 2, 0, 0, 0, 7},
                    .parents = {-1, 0, 1, 0, 1, -1},
                    .rules = {{Mask::prefix, 5},
                              {Mask::block_causal, 3},
                              {Mask::sliding_window, 3},
                              {},
                              {Mask::chunked, 4},
                              {}}};
  expect_equal(batch, shape_of(Dtype::float64));
}

TEST(Torch, equals_plain_loops_with_attention_sinks) {
  AttentionShape shape = shape_of(Dtype::float64);
  shape.attention_sinks = true;
  expect_equal({.document_lengths = {1, 13, 40, 7}, .mask = Mask::sliding_window, .window = 5},
               shape);
  expect_equal({.document_lengths = {9, 13, 8}, .parents = {-1, 0, 1}}, shape);
}

TEST(Torch, rounds_inputs_to_the_dtype_of_the_model) {
  expect_equal({.document_lengths = {33}}, shape_of(Dtype::bfloat16));
}

TEST(Torch, says_whether_there_are_cuda_tensors) {
  if (!open_torch().has_gpu()) GTEST_SKIP() << "LibTorch without CUDA, or no GPU here";
  const Batch batch{.document_lengths = {300, 200}};
  const AttentionShape shape = shape_of(Dtype::bfloat16);
  const Reference cpu = open_torch().exact_attention(batch, shape, 5, Passes::both);
  const Reference gpu = open_torch().exact_attention(batch, shape, 5, Passes::both, 0);
  EXPECT_LE(distance(gpu.o, cpu.o), 1e-4);
  EXPECT_LE(distance(gpu.dk, cpu.dk), 1e-3);
}

}  // namespace
}  // namespace cpbench
