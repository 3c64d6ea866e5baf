#include "harness/execute_cuda/attention/check_shape.h"

#include <gtest/gtest.h>

#include <string>

#include "harness/plan/error_of_for_tests.h"

namespace cpbench {
namespace {

AttentionShape shape_of(int32_t head_dim, int32_t value_head_dim, Dtype dtype = Dtype::bfloat16) {
  return {.query_heads = 8,
          .kv_heads = 2,
          .head_dim = head_dim,
          .value_head_dim = value_head_dim,
          .dtype = dtype};
}

TEST(CheckShape, flash) {
  const auto flash = [](const AttentionShape& shape, int32_t capability = 90) {
    return error_of([&] { check_flash_shape(shape, capability); });
  };
  for (int32_t dim : {8, 64, 128, 256}) EXPECT_EQ(flash(shape_of(dim, dim)), "");
  EXPECT_EQ(flash(shape_of(128, 128), 80), "");
  EXPECT_EQ(flash(shape_of(64, 64, Dtype::float32)),
            "kernel 'flash' requires dtype bfloat16, not float32; kernel 'reference' supports it");
  EXPECT_EQ(flash(shape_of(192, 128)),
            "kernel 'flash' requires value_head_dim = head_dim, not 128 and 192; "
            "kernel 'reference' supports it");
  EXPECT_EQ(flash(shape_of(20, 20)),
            "kernel 'flash' requires a head_dim of at most 256 and a multiple of 8, not 20; "
            "kernel 'reference' supports it");
  EXPECT_EQ(flash(shape_of(64, 64), 75),
            "kernel 'flash' requires a GPU of compute capability 8.0 or newer, not 7.5; "
            "kernel 'reference' supports it");
}

TEST(CheckShape, flash3) {
  const auto flash3 = [](const AttentionShape& shape, int32_t capability = 90) {
    return error_of([&] { check_flash3_shape(shape, capability); });
  };
  for (int32_t dim : {8, 64, 128, 256}) EXPECT_EQ(flash3(shape_of(dim, dim)), "");
  EXPECT_EQ(flash3(shape_of(64, 64, Dtype::float32)),
            "kernel 'flash3' requires dtype bfloat16, not float32; kernel 'reference' supports it");
  for (int32_t capability : {80, 100}) {
    EXPECT_EQ(flash3(shape_of(64, 64), capability),
              "kernel 'flash3' requires a GPU of compute capability 9.x, not " +
                  std::string(capability == 80 ? "8.0" : "10.0") + "; kernel 'flash' supports it");
  }
}

TEST(CheckShape, cudnn) {
  const auto cudnn = [](const AttentionShape& shape, int32_t capability = 90) {
    return error_of([&] { check_cudnn_shape(shape, capability); });
  };
  for (int32_t dim : {16, 64, 128, 256}) EXPECT_EQ(cudnn(shape_of(dim, dim)), "");
  EXPECT_EQ(cudnn(shape_of(192, 128)), "");
  EXPECT_EQ(cudnn(shape_of(192, 128), 100), "");
  EXPECT_EQ(cudnn(shape_of(256, 256), 100),
            "kernel 'cudnn' requires a head_dim of at most 128 and a multiple of 16, not 256; "
            "kernel 'flash' supports it");
  EXPECT_EQ(cudnn(shape_of(72, 72)),
            "kernel 'cudnn' requires a head_dim of at most 256 and a multiple of 16, not 72; "
            "kernel 'flash' supports it");
  EXPECT_EQ(cudnn(shape_of(128, 64)),
            "kernel 'cudnn' requires value_head_dim = head_dim, or 128 and 192, not 64 and 128; "
            "kernel 'reference' supports it");
  EXPECT_EQ(cudnn(shape_of(64, 64), 80),
            "kernel 'cudnn' requires a GPU of compute capability 9.x or 10.x, not 8.0; "
            "kernel 'flash' supports it");
}

TEST(CheckShape, cudnn_version) {
  check_cudnn_version(91800);
  check_cudnn_version(91900);
  EXPECT_EQ(
      error_of([] { check_cudnn_version(91002); }),
      "kernel 'cudnn' requires cuDNN 9.18.0 or newer, not 9.10.2; torch 2.11 comes with 9.19");
}

}  // namespace
}  // namespace cpbench
