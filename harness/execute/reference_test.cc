// The quick reference against the plain loops, for every mask.
#include "harness/execute/reference.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace cpbench {
namespace {

const AttentionShape kShape = {
    .query_heads = 4, .kv_heads = 2, .head_dim = 8, .value_head_dim = 8, .dtype = Dtype::float64};

double distance(const std::vector<double>& a, const std::vector<double>& b) {
  double worst = a.size() == b.size() ? 0 : std::numeric_limits<double>::infinity();
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    if (!(std::abs(a[i] - b[i]) <= worst)) worst = std::abs(a[i] - b[i]);
  }
  return worst;
}

TEST(Reference, equals_plain_loops_for_every_mask) {
  for (Mask mask :
       {Mask::document_causal, Mask::causal, Mask::document_full, Mask::sliding_window}) {
    for (int64_t window : {1, 7, 200}) {
      const Batch batch{{1, 50, 141, 8}, mask, mask == Mask::sliding_window ? window : 0};
      const auto quick = reference_for(batch, kShape, 5, Passes::both);
      const Reference plain =
          compute_reference(batch, kShape, 5, Passes::both, *make_reference_kernel());
      EXPECT_LE(distance(quick->o, plain.o), 1e-12);
      EXPECT_LE(distance(quick->dq, plain.dq), 1e-12);
      EXPECT_LE(distance(quick->dk, plain.dk), 1e-12);
      EXPECT_LE(distance(quick->dv, plain.dv), 1e-12);
      EXPECT_GT(plain.largest_gradient, 0.1);
    }
  }
}

TEST(Reference, is_remembered_and_serves_forward_runs_too) {
  const Batch batch{{9, 3}, Mask::document_causal, 0};
  const auto both = reference_for(batch, kShape, 6, Passes::both);
  EXPECT_EQ(reference_for(batch, kShape, 6, Passes::forward), both);
  EXPECT_NE(reference_for(batch, kShape, 7, Passes::forward), both);
}

TEST(Reference, a_NaN_is_the_worst_error) {
  std::vector<double> found = {1, std::nan(""), 3}, expected = {1, 2, 9};
  const Matrix matrix{reinterpret_cast<std::byte*>(found.data()), Dtype::float64, 1, 1, 1};
  EXPECT_TRUE(std::isnan(worst_error(0, matrix, 0, {0, 3}, expected)));
}

}  // namespace
}  // namespace cpbench
