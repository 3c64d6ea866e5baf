// Cached tokens change only their own rows of the reference, not those of other queries.
#include "harness/execute/reference.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace cpbench {
namespace {

constexpr AttentionShape kShape{
    .query_heads = 4, .kv_heads = 2, .head_dim = 8, .value_head_dim = 8, .dtype = Dtype::float64};
constexpr int64_t kWidth = 4 * 8;  // elements in a row of O or dQ

double largest_difference(const std::vector<double>& a, const std::vector<double>& b, Range rows) {
  double top = 0;
  for (int64_t i = rows.begin * kWidth; i < rows.end * kWidth; ++i) {
    top = std::max(top, std::abs(a[i] - b[i]));
  }
  return top;
}

TEST(Reference, cached_tokens_have_no_output_and_change_no_other) {
  for (Mask mask :
       {Mask::document_causal, Mask::causal, Mask::document_full, Mask::sliding_window}) {
    for (const auto& kernel : {make_reference_kernel(), make_kernel("fused")}) {
      Batch batch{{9, 4, 6, 1}, mask, mask == Mask::sliding_window ? 3 : 0};
      const Reference full = compute_reference(batch, kShape, 1, Passes::both, *kernel);
      batch.cached_tokens = {7, 4, 0, 0};
      const Reference found = compute_reference(batch, kShape, 1, Passes::both, *kernel);
      const std::vector<double> zeros(full.o.size());
      for (Range fresh : {Range{7, 9}, Range{13, 20}}) {
        EXPECT_LT(largest_difference(found.o, full.o, fresh), 1e-14);
        EXPECT_LT(largest_difference(found.dq, full.dq, fresh), 1e-13);
      }
      for (Range cached : {Range{0, 7}, Range{9, 13}}) {
        EXPECT_EQ(largest_difference(found.o, zeros, cached), 0);
        EXPECT_EQ(largest_difference(found.dq, zeros, cached), 0);
      }
    }
  }
}

// dK and dV are sums over queries: the sums over cached and over new queries add up to the total.
TEST(Reference, gradients_of_keys_come_only_from_the_new_queries) {
  const auto kernel = make_reference_kernel();
  const auto gradients = [&](std::vector<int64_t> lengths, std::vector<int64_t> cached) {
    Batch batch{std::move(lengths)};
    batch.cached_tokens = std::move(cached);
    return compute_reference(batch, kShape, 1, Passes::both, *kernel);
  };
  const Reference full = gradients({9}, {}), head = gradients({5}, {}), tail = gradients({9}, {5});
  for (size_t i = 0; i < full.dk.size(); ++i) {
    const bool in_head = i < head.dk.size();
    EXPECT_NEAR(full.dk[i], tail.dk[i] + (in_head ? head.dk[i] : 0), 1e-13);
    EXPECT_NEAR(full.dv[i], tail.dv[i] + (in_head ? head.dv[i] : 0), 1e-13);
  }
}

// A prompt with two completions computes what two packs of the prompt and one completion do.
TEST(Reference, completions_share_their_prompt) {
  for (const auto& kernel : {make_reference_kernel(), make_kernel("fused")}) {
    const Batch tree{.document_lengths = {5, 4, 3}, .parents = {-1, 0, 0}};
    const Reference both = compute_reference(tree, kShape, 1, Passes::both, *kernel);
    const Reference one = compute_reference(Batch{{9, 3}}, kShape, 1, Passes::both, *kernel);
    EXPECT_LT(largest_difference(both.o, one.o, {0, 9}), 1e-14);
    EXPECT_LT(largest_difference(both.dq, one.dq, {0, 9}), 1e-13);
    EXPECT_GT(largest_difference(both.o, one.o, {9, 12}), 1e-3);
    // The second completion alone after the prompt, without what the first one adds to dK and dV.
    const Batch cached{
        .document_lengths = {5, 4, 3}, .cached_tokens = {5, 4, 0}, .parents = {-1, 0, 0}};
    const Batch other{
        .document_lengths = {5, 4, 3}, .cached_tokens = {0, 0, 3}, .parents = {-1, 0, 0}};
    const Reference second = compute_reference(cached, kShape, 1, Passes::both, *kernel);
    const Reference first = compute_reference(other, kShape, 1, Passes::both, *kernel);
    for (size_t i = 0; i < both.dk.size(); ++i) {
      EXPECT_NEAR(both.dk[i], first.dk[i] + second.dk[i], 1e-13);
    }
  }
}

// A kernel is judged by its own plain run, so a wrong one must not set its own tolerance.
TEST(Tolerances, bad_G4_a_kernel_of_zeros) {
  for (Dtype dtype : {Dtype::float64, Dtype::float32, Dtype::bfloat16}) {
    AttentionShape shape = kShape;
    shape.dtype = dtype;
    Reference reference =
        compute_reference(Batch{{9, 4}}, shape, 1, Passes::both, *make_reference_kernel());
    Accuracy right = tolerances(reference, dtype);
    right.max_error_output = reference.plain_error_output;
    right.max_error_gradient = reference.plain_error_gradient;
    EXPECT_TRUE(right.ok());

    reference.plain_error_output = reference.largest_output;  // as of zeros
    Accuracy zeros = tolerances(reference, dtype);
    zeros.max_error_output = reference.largest_output;
    EXPECT_FALSE(zeros.ok());
    reference.plain_error_output = 0;
    reference.plain_error_gradient = reference.largest_gradient;
    zeros = tolerances(reference, dtype);
    zeros.max_error_gradient = reference.largest_gradient;
    EXPECT_FALSE(zeros.ok());
  }
}

}  // namespace
}  // namespace cpbench
