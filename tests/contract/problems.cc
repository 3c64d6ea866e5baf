#include "tests/contract/problems.h"

#include <algorithm>

#include "harness/plan/names.h"
#include "harness/plan/test_problems.h"

namespace cpbench::contract {
namespace {

struct NamedBatch {
  std::string name;
  std::vector<int64_t> lengths, cached{};
};

constexpr Mask kMasks[] = {Mask::document_causal, Mask::causal, Mask::document_full,
                           Mask::sliding_window};

// The product of all three. The 8 query heads have 8 or 2 KV heads in turn, such that every two of
// batch, cluster and mask meet both. Clusters vary fastest, because the executor remembers what one
// device computes for the latest batches.
std::vector<NamedProblem> product(const std::vector<NamedBatch>& batches,
                                  const std::vector<Ranks>& clusters) {
  std::vector<NamedProblem> problems;
  for (size_t b = 0; b < batches.size(); ++b) {
    for (size_t m = 0; m < std::size(kMasks); ++m) {
      for (size_t c = 0; c < clusters.size(); ++c) {
        const int32_t kv_heads = (b + c + m) % 2 == 0 ? 8 : 2;
        const AttentionShape shape{.query_heads = 8,
                                   .kv_heads = kv_heads,
                                   .head_dim = 4,
                                   .value_head_dim = 4,
                                   .dtype = Dtype::float64};
        Problem problem =
            problem_of(batch_of(batches[b].lengths, kMasks[m], 5), clusters[c], shape);
        problem.batch.cached_tokens = batches[b].cached;
        problems.push_back({batches[b].name + ", " + std::to_string(clusters[c].nodes) + " x " +
                                std::to_string(clusters[c].gpus_per_node) + " ranks, " +
                                name_of(kMasks[m]) + ", " + std::to_string(kv_heads) + " KV heads",
                            std::move(problem)});
      }
    }
  }
  return problems;
}

}  // namespace

std::vector<NamedProblem> adversarial_problems() {
  return product({{"one token", {1}},
                  {"documents of one token", std::vector<int64_t>(11, 1)},
                  {"one giant document", {61}},
                  {"giant among dwarfs", {2, 1, 53, 1, 3}},
                  {"odd and prime lengths", {7, 1, 13, 2, 29, 11}},
                  {"two equal documents", {16, 16}}},
                 {1, 2, 3, 4, 7, 8, {2, 2}, {3, 2}, {4, 1}, {2, 4}});
}

std::vector<NamedProblem> cached_problems() {
  return product({{"decoding", {40}, {39}},
                  {"prefix of each document", {7, 1, 13, 2, 29, 11}, {3, 0, 12, 1, 17, 0}},
                  {"documents without queries", {9, 21, 1, 6}, {9, 5, 1, 6}}},
                 {1, 3, {2, 2}, {4, 1}, {2, 4}});
}

int64_t below(std::mt19937_64& random, int64_t n) {
  return static_cast<int64_t>(random() % static_cast<uint64_t>(n));
}

Problem random_problem(std::mt19937_64& random, int64_t tokens, int32_t ranks) {
  const auto any = [&random](int64_t n) { return below(random, n); };
  std::vector<int64_t> lengths;
  for (int64_t left = 1 + any(tokens); left > 0; left -= lengths.back()) {
    lengths.push_back(1 + any(any(3) == 0 ? left : std::min<int64_t>(left, 6)));
  }
  const Mask mask = kMasks[any(4)];
  const Batch batch = batch_of(std::move(lengths), mask, 1 + any(8));
  const auto nodes = static_cast<int32_t>(1 + any(3));
  const auto gpus = static_cast<int32_t>(1 + any(std::max(1, ranks / nodes)));
  const auto kv_heads = static_cast<int32_t>(1 + any(2));
  const auto query_heads = kv_heads * static_cast<int32_t>(1 + any(2)) * 2;
  return problem_of(batch, {nodes, gpus}, {query_heads, kv_heads, 8, 8});
}

std::vector<NamedProblem> random_problems(int count, int64_t tokens, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<NamedProblem> out;
  for (int i = 0; i < count; ++i) {
    Problem problem = random_problem(random, tokens, 6);
    if (below(random, 4) == 0) {
      Batch& batch = problem.batch;
      for (int64_t length : batch.document_lengths) {
        batch.cached_tokens.push_back(below(random, length + 1));
      }
      if (batch.new_tokens() == 0) --batch.cached_tokens.back();
    }
    out.push_back({"random " + std::to_string(seed) + "." + std::to_string(i), std::move(problem)});
  }
  return out;
}

}  // namespace cpbench::contract
