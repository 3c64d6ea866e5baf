#include "harness/measure/bounds.h"

#include <algorithm>
#include <vector>

#include "harness/plan/mask.h"
#include "harness/plan/plan_bytes.h"

namespace cpbench {
namespace {

// The tokens of `length` consecutive ones that travel, if all that are less than `window` apart
// meet and a rank owns at most `share`. Tokens that stay lie in runs of at most `share`, with at
// least window - 1 that travel from one run to the next.
int64_t travelling_in_run(int64_t length, int64_t window, int64_t share) {
  if (window < 2) return 0;
  // With g gaps at least max(g (window - 1), length - (g + 1) share) travel. The first grows with
  // g and the other falls, so the least is where they meet, or one gap earlier.
  const int64_t gaps = std::max<int64_t>(0, length - share) / (share + window - 1);
  const auto with = [&](int64_t g) {
    return std::max({int64_t{0}, g * (window - 1), length - (g + 1) * share});
  };
  return std::min(with(gaps), with(gaps + 1));
}

// Those of one document that meet inside it. `fresh` of its tokens are not cached.
int64_t travelling_in_document(const DocumentRule& rule, int64_t length, int64_t fresh,
                               int64_t share) {
  if (rule.mask == Mask::sliding_window) return travelling_in_run(fresh, rule.window, share);
  if (rule.mask == Mask::chunked) {
    const auto over = [&](int64_t tokens) { return std::max<int64_t>(0, tokens - share); };
    const int64_t cut = (length - fresh) % rule.window;  // of the first new token's chunk
    const int64_t first = cut == 0 ? 0 : std::min(fresh, rule.window - cut);
    const int64_t rest = fresh - first;
    return over(first) + rest / rule.window * over(rule.window) + over(rest % rule.window);
  }
  return std::clamp<int64_t>(length - share, 0, fresh);
}

int64_t travelling_tokens(const Batch& batch, int64_t share) {
  if (batch.mask == Mask::causal) {
    return std::clamp<int64_t>(batch.tokens() - share, 0, batch.new_tokens());
  }
  const size_t documents = batch.document_lengths.size();
  std::vector<int64_t> seen(documents);    // its tokens and those of its ancestors
  std::vector<size_t> tree(documents);     // its first ancestor
  std::vector<int64_t> inside(documents);  // by tree: of all documents, each in itself
  std::vector<int64_t> most(documents);    // by tree: of one document and its ancestors
  for (size_t d = 0; d < documents; ++d) {
    const int64_t length = batch.document_lengths[d];
    const int64_t fresh = length - (batch.cached_tokens.empty() ? 0 : batch.cached_tokens[d]);
    const int32_t parent = batch.parents.empty() ? -1 : batch.parents[d];
    const DocumentRule rule =
        batch.rules.empty() ? DocumentRule{batch.mask, batch.window} : batch.rules[d];
    tree[d] = parent < 0 ? d : tree[parent];
    seen[d] = length + (parent < 0 ? 0 : seen[parent]);
    inside[tree[d]] += travelling_in_document(rule, length, fresh, share);
    // Under these rules, one query that stays has all keys that meet in the document with it. Under
    // the others it has at least those of the ancestors.
    const bool all_meet = rule.mask != Mask::sliding_window && rule.mask != Mask::chunked;
    const int64_t with = all_meet ? seen[d] : seen[d] - length;
    most[tree[d]] = std::max(most[tree[d]], std::clamp<int64_t>(with - share, 0, fresh));
  }
  int64_t total = 0;
  for (size_t d = 0; d < documents; ++d) total += std::max(inside[d], most[d]);
  return total;
}

}  // namespace

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
  bounds.wire_bytes =
      travelling_tokens(problem.batch, bounds.tokens_per_rank) * std::min(of_keys, of_queries);
  return bounds;
}

}  // namespace cpbench
