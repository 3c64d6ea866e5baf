// A small program in which ranks depend on each other, and a kernel that fails in it, for tests of
// executors.
#pragma once

#include <stdexcept>

#include "harness/compile/compile.h"
#include "harness/execute/kernel.h"
#include "harness/plan/builder.h"

namespace cpbench {

// Each rank owns an equal share of the tokens and sends its keys to all later ranks.
inline Plan plan_of(const Problem& problem) {
  PlanBuilder b(problem);
  const int32_t n = problem.ranks();
  const int64_t tokens = problem.tokens();
  for (int32_t r = 0; r < n; ++r) b.home(r, {{tokens * r / n, tokens * (r + 1) / n}});
  for (int32_t r = 0; r < n; ++r) {
    b.forward().attend(0, r, b.home_of(r), b.home_of(r));
    for (int32_t other = 0; other < r; ++other) {
      b.forward().send(0, other, r, Tensor::kv, b.home_of(other));
      b.forward().attend(1, r, b.home_of(r), b.home_of(other));
    }
  }
  b.backward_by_return();
  return b.finish();
}
inline Program program_of(const Problem& problem, Passes passes = Passes::both) {
  return compile(problem, plan_of(problem), passes);
}

// Throws in the backward pass of a rank that received keys: rank 1 of 2.
class BreakingKernel : public Kernel {
 public:
  void forward(const ForwardCall& call) const override { inner_->forward(call); }
  void backward(const BackwardCall& call) const override {
    if (call.segments.front().mask == SegmentMask::full) throw std::runtime_error("kernel broke");
    inner_->backward(call);
  }

 private:
  std::unique_ptr<Kernel> inner_ = make_reference_kernel();
};

}  // namespace cpbench
