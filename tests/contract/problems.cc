#include "tests/contract/problems.h"

#include <numeric>
#include <random>

#include "harness/plan/names.h"

namespace cpbench::contract {

Problem make_problem(std::vector<int64_t> lengths, int32_t ranks, int32_t query_heads,
                     int32_t kv_heads, Mask mask, int64_t window) {
  Problem problem;
  problem.batch = {std::move(lengths), mask, window, {}};
  problem.shape = {.query_heads = query_heads,
                   .kv_heads = kv_heads,
                   .head_dim = 8,
                   .value_head_dim = 8,
                   .dtype = Dtype::float64};
  problem.cluster.gpus_per_node = ranks;
  return problem;
}

std::vector<NamedProblem> adversarial_problems() {
  const std::vector<std::pair<std::string, std::vector<int64_t>>> batches = {
      {"one token", {1}},
      {"documents of one token", std::vector<int64_t>(11, 1)},
      {"one giant document", {61}},
      {"giant among dwarfs", {1, 2, 47, 1, 1, 3}},
      {"equal documents", {8, 8, 8, 8}},
      {"odd lengths", {7, 13, 5, 29, 3}},
      {"prime lengths", {2, 3, 5, 7, 11, 13, 17}},
      {"two documents", {17, 31}},
  };
  std::vector<NamedProblem> out;
  for (const auto& [name, lengths] : batches) {
    for (int32_t ranks : {1, 2, 3, 4, 7, 8}) {
      for (Mask mask :
           {Mask::document_causal, Mask::causal, Mask::document_full, Mask::sliding_window}) {
        out.push_back(
            {name + ", " + std::to_string(ranks) + " ranks, " + name_of(mask),
             make_problem(lengths, ranks, 8, 2, mask, mask == Mask::sliding_window ? 5 : 0)});
      }
    }
  }
  out.push_back({"10,000 documents, 8 ranks", make_problem(std::vector<int64_t>(10000, 3), 8)});
  return out;
}

std::vector<NamedProblem> random_problems(int count, int64_t tokens, uint64_t seed) {
  std::mt19937_64 random(seed);  // raw words only: its distributions differ between libraries
  auto below = [&random](int64_t n) {
    return static_cast<int64_t>(random() % static_cast<uint64_t>(n));
  };
  std::vector<NamedProblem> out;
  for (int i = 0; i < count; ++i) {
    std::vector<int64_t> lengths;
    int64_t left = 1 + below(tokens);
    while (left > 0) {
      int64_t length = 1 + below(below(3) == 0 ? left : std::min<int64_t>(left, 6));
      lengths.push_back(length);
      left -= length;
    }
    Mask mask = static_cast<Mask>(below(4));
    int64_t window = mask == Mask::sliding_window ? 1 + below(8) : 0;
    int32_t ranks = static_cast<int32_t>(1 + below(5));
    int32_t kv_heads = static_cast<int32_t>(1 + below(2));
    Problem problem = make_problem(
        lengths, ranks, kv_heads * static_cast<int32_t>(1 + below(2)) * 2, kv_heads, mask, window);
    if (below(4) == 0) {
      std::vector<int64_t>& cached = problem.batch.cached_tokens;
      for (int64_t length : lengths) cached.push_back(below(length + 1));
      if (problem.batch.new_tokens() == 0) --cached.back();
    }
    out.push_back({"random " + std::to_string(seed) + "." + std::to_string(i), std::move(problem)});
  }
  return out;
}

}  // namespace cpbench::contract
