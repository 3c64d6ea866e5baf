#include "harness/measure/bounds.h"

#include <algorithm>
#include <vector>

#include "harness/plan/mask.h"
#include "harness/plan/plan_bytes.h"

namespace cpbench {

Bounds lower_bounds(const Problem& problem, Passes passes, GradientWire wire) {
  const int32_t ranks = problem.ranks();
  const Heads heads{0, problem.shape.query_heads};
  auto bytes = [&](Tensor tensor) {
    return wire_bytes_per_token(tensor, heads, problem.shape, wire);
  };
  int64_t of_keys = bytes(Tensor::kv);
  int64_t of_queries = bytes(Tensor::q) + bytes(Tensor::o);
  if (passes == Passes::both) {
    of_keys += bytes(Tensor::dkv);
    of_queries += bytes(Tensor::d_o) + bytes(Tensor::dq);
  }
  Bounds bounds;
  const MaskIndex mask(problem.batch);
  bounds.pairs_per_rank = static_cast<double>(mask.pairs()) * problem.shape.query_heads / ranks;
  bounds.tokens_per_rank = (problem.tokens() + ranks - 1) / ranks;
  std::vector<int64_t> lengths = problem.batch.document_lengths;
  if (problem.batch.mask == Mask::causal) lengths = {problem.tokens()};
  if (problem.batch.mask == Mask::sliding_window) lengths.clear();
  for (int64_t length : lengths) {
    bounds.wire_bytes +=
        std::max<int64_t>(0, length - bounds.tokens_per_rank) * std::min(of_keys, of_queries);
  }
  return bounds;
}

}  // namespace cpbench
