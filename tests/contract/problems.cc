#include "tests/contract/problems.h"

#include <algorithm>

#include "harness/plan/names.h"
#include "harness/plan/test_problems.h"

namespace cpbench::contract {
namespace {

struct NamedLengths {
  std::string name;
  std::vector<int64_t> lengths, cached{};
};

constexpr Mask kMasks[] = {Mask::document_causal, Mask::causal, Mask::document_full,
                           Mask::sliding_window};

// The batch on each cluster. The 8 query heads have 8 or 2 KV heads in turn, first 8 for an even
// `turn`; every third shape has attention sinks.
void add_on_each(const std::vector<Ranks>& clusters, const std::string& name, const Batch& batch,
                 size_t turn, std::vector<NamedProblem>& problems) {
  for (size_t c = 0; c < clusters.size(); ++c) {
    const int32_t kv_heads = (turn + c) % 2 == 0 ? 8 : 2;
    const AttentionShape shape{.query_heads = 8,
                               .kv_heads = kv_heads,
                               .head_dim = 4,
                               .value_head_dim = 4,
                               .dtype = Dtype::float64,
                               .attention_sinks = (turn + c) % 3 == 2};
    problems.push_back({name + ", " + name_of(batch.mask) + ", " +
                            std::to_string(clusters[c].nodes) + " x " +
                            std::to_string(clusters[c].gpus_per_node) + " ranks, " +
                            std::to_string(kv_heads) + " KV heads",
                        problem_of(batch, clusters[c], shape)});
  }
}

// The product of all three, in which every two of batch, cluster and mask meet both numbers of KV
// heads. Clusters vary fastest, because the executor remembers what one device computes for the
// latest batches.
std::vector<NamedProblem> product(const std::vector<NamedLengths>& batches,
                                  const std::vector<Ranks>& clusters) {
  std::vector<NamedProblem> problems;
  for (size_t b = 0; b < batches.size(); ++b) {
    for (size_t m = 0; m < std::size(kMasks); ++m) {
      Batch batch = batch_of(batches[b].lengths, kMasks[m], 5);
      batch.cached_tokens = batches[b].cached;
      add_on_each(clusters, batches[b].name, batch, b + m, problems);
    }
  }
  return problems;
}

DocumentRule random_rule(std::mt19937_64& random) {
  constexpr Mask kRules[] = {Mask::document_causal, Mask::document_full, Mask::sliding_window,
                             Mask::block_causal,    Mask::chunked,       Mask::prefix};
  const Mask mask = kRules[below(random, std::ssize(kRules))];
  return {mask, has_window(mask) ? 1 + below(random, 8) : 0};
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

std::vector<NamedProblem> forest_problems() {
  const std::vector<std::pair<std::string, Batch>> batches = {
      {"prompt and completions",
       {.document_lengths = {11, 5, 0, 7, 9, 6}, .parents = {-1, 0, 0, 0, 0, -1}}},
      {"tree of three levels",
       {.document_lengths = {9, 4, 3, 8, 5, 1}, .parents = {-1, 0, 1, 1, 0, 4}}},
      {"trees that interleave",
       {.document_lengths = {5, 14, 13, 6, 2}, .parents = {-1, -1, 0, 1, 0}}},
      {"completions of a cached prompt",
       {.document_lengths = {20, 7, 9}, .cached_tokens = {20, 0, 3}, .parents = {-1, 0, 0}}},
      {"rules of documents",
       {.document_lengths = {9, 13, 8, 10, 7},
        .parents = {-1, 0, -1, 2, 2},
        .rules = {{Mask::block_causal, 3},
                  {Mask::chunked, 4},
                  {Mask::prefix, 5},
                  {Mask::sliding_window, 3},
                  {Mask::document_full, 0}}}},
      {"placeholders", {{16, 24, 0, 0}}},
      {"pad slots", {{3, 1, 2, 2}, Mask::document_causal, 0, {0, 1, 0, 2}}},
      {"blocks", {{7, 1, 29, 11}, Mask::block_causal, 5}},
      {"windows of a tree", {{7, 1, 29, 11}, Mask::sliding_window, 5, {}, {-1, 0, 0, -1}}},
      {"chunks", {{7, 1, 29, 11}, Mask::chunked, 5}},
      {"prefixes", {{7, 1, 29, 11}, Mask::prefix, 5}}};
  std::vector<NamedProblem> problems;
  for (size_t b = 0; b < batches.size(); ++b) {
    add_on_each({1, 3, {2, 2}, {2, 4}}, batches[b].first, batches[b].second, b, problems);
  }
  return problems;
}

std::vector<NamedProblem> reported_problems() {
  const auto shape = [](int32_t heads, int32_t kv_heads, int32_t width = 4, int32_t of_values = 4) {
    return AttentionShape{heads, kv_heads, width, of_values, Dtype::float64};
  };
  const AttentionShape usual = shape(4, 2);
  Batch blocks{{200}, Mask::block_causal, 2};
  blocks.cached_tokens = {100};
  std::vector<NamedProblem> problems = {
      {"698 tokens", problem_of({698}, 4, usual)},
      {"4 and 3 tokens", problem_of({4, 3}, 2, usual)},
      {"lengths without a common divisor", problem_of({701, 1399, 501, 1495}, 4, usual)},
      {"the middle document straddles", problem_of({37, 51, 40}, 2, usual)},
      {"three tokens on 8 ranks", problem_of({1, 1, 1}, 8, usual)},
      {"queries 100-200 over keys 0-200 in blocks of 2", problem_of(blocks, 4, usual)},
      {"chunks of 256", problem_of(Batch{{1024}, Mask::chunked, 256}, 4, usual)},
      {"a window of four ranks", problem_of(Batch{{2048}, Mask::sliding_window, 1024}, 8, usual)},
      {"28 heads over 7", problem_of({40}, 2, shape(28, 7))},
      {"40 heads over 8 on 16", problem_of({40}, 16, shape(40, 8))},
      {"40 heads over 8 on 40", problem_of({40}, 40, shape(40, 8))},
      {"7 heads on 4", problem_of({40}, 4, shape(7, 7))},
      {"20 heads on 8", problem_of({40}, 8, shape(20, 20))},
      {"12 heads on 4", problem_of({40}, 4, shape(12, 12))},
      {"64 heads over 4, of 192 and 128", problem_of({40}, 4, shape(64, 4, 192, 128))},
      {"32 heads, of 192 and 128", problem_of({40}, 4, shape(32, 32, 192, 128))}};
  return problems;
}

void plant(std::mt19937_64& random, Batch& batch) {
  if (below(random, 4) == 0) batch.document_lengths.push_back(0);
  batch.mask = Mask::document_causal;
  batch.window = 0;
  if (below(random, 2) == 0) {
    const DocumentRule rule = random_rule(random);
    batch.mask = rule.mask;
    batch.window = rule.window;
  }
  const bool rules = batch.mask == Mask::document_causal && below(random, 2) == 0;
  for (size_t d = 0; d < batch.document_lengths.size(); ++d) {
    const int64_t parent = below(random, static_cast<int64_t>(d) + 1) - 1;
    batch.parents.push_back(below(random, 3) == 0 ? -1 : static_cast<int32_t>(parent));
    if (rules) batch.rules.push_back(random_rule(random));
  }
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
    Batch& batch = problem.batch;
    if (below(random, 3) == 0) plant(random, batch);
    if (below(random, 4) == 0) {
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
