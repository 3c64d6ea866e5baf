#include "tests/numerics/hand_plans.h"

#include <algorithm>

#include "harness/plan/builder.h"
#include "harness/plan/errors.h"

namespace cpbench {
namespace {

void require_tokens_everywhere(const Problem& problem) {
  if (problem.tokens() < 2 * problem.ranks()) throw Unsupported("a rank would be empty");
}

// Two token chunks of nearly equal size per rank, one from each end of the pack.
Ranges zigzag_tokens(const Problem& problem, int32_t rank) {
  const int64_t chunks = 2 * problem.ranks();
  const auto cut = [&](int64_t chunk) { return problem.tokens() * chunk / chunks; };
  return normalise({{cut(rank), cut(rank + 1)}, {cut(chunks - 1 - rank), cut(chunks - rank)}});
}

void even_home(const Problem& problem, PlanBuilder& b) {
  const int64_t ranks = problem.ranks();
  for (int32_t r = 0; r < ranks; ++r) {
    b.home(r, normalise({{problem.tokens() * r / ranks, problem.tokens() * (r + 1) / ranks}}));
  }
}

void ring_forward(const Problem& problem, PlanBuilder& b) {
  const int32_t n = problem.ranks();
  for (int32_t step = 0; step < n; ++step) {
    for (int32_t r = 0; r < n; ++r) {
      const SetId kv = b.home_of((r - step + n) % n);
      if (b.token_sets().size_of(kv) == 0) continue;
      if (b.token_sets().size_of(b.home_of(r)) > 0) b.forward().attend(step, r, b.home_of(r), kv);
      if (step + 1 < n) b.forward().send(step, r, (r + 1) % n, Tensor::kv, kv);
    }
  }
}

// Every rank sends its KV directly to the others, to the nearest one first.
Plan direct(const Problem& problem) {
  PlanBuilder b(problem);
  even_home(problem, b);
  const int32_t n = problem.ranks();
  for (int32_t step = 0; step < n; ++step) {
    for (int32_t r = 0; r < n; ++r) {
      const int32_t owner = (r - step + n) % n;
      const SetId own = b.home_of(r), kv = b.home_of(owner);
      if (b.token_sets().size_of(own) == 0 || b.token_sets().size_of(kv) == 0) continue;
      if (step > 0) b.forward().send(step - 1, owner, r, Tensor::kv, kv);
      b.forward().attend(step, r, own, kv);
    }
  }
  b.backward_by_return();
  return b.finish();
}

Plan zigzag_travelling(const Problem& problem) {
  require_tokens_everywhere(problem);
  PlanBuilder b(problem);
  for (int32_t r = 0; r < problem.ranks(); ++r) b.home(r, zigzag_tokens(problem, r));
  b.gradient_wire(GradientWire::accumulation);
  ring_forward(problem, b);
  b.backward_travelling();
  return b.finish();
}

// Every rank gathers all KV, padded, and attends once.
Plan gather_all(const Problem& problem) {
  require_tokens_everywhere(problem);
  PlanBuilder b(problem);
  int64_t padding = 0;
  for (int32_t r = 0; r < problem.ranks(); ++r) {
    padding = std::max(padding, size_of(zigzag_tokens(problem, r)));
    b.home(r, zigzag_tokens(problem, r));
  }
  const int32_t tag = b.forward().collective(CollectiveKind::all_gather, padding);
  const SetId all = b.tokens({0, problem.tokens()});
  for (int32_t r = 0; r < problem.ranks(); ++r) {
    b.forward().multicast(0, r, b.all_ranks(), Tensor::kv, b.home_of(r), {}, tag);
    if (b.token_sets().size_of(b.home_of(r)) > 0) b.forward().attend(1, r, b.home_of(r), all);
  }
  b.backward_by_return();
  return b.finish();
}

// Queries travel: rank 0 attends everything; every other rank sends it Q and KV, and gets outputs
// and gradients back. The heads are attended in two halves, one per step.
Plan queries_travel(const Problem& problem) {
  PlanBuilder b(problem);
  even_home(problem, b);
  const SetId all = b.tokens({0, problem.tokens()});
  const int32_t heads = problem.shape.query_heads;
  std::vector<Heads> halves = {{0, heads / 2}, {heads / 2, heads}};
  if (heads == 1) halves = {{0, 1}};
  const int32_t n = problem.ranks();
  const auto each_other = [&](const auto& visit) {
    for (int32_t r = 1; r < n; ++r) {
      if (b.token_sets().size_of(b.home_of(r)) > 0) visit(r, b.home_of(r));
    }
  };
  PassBuilder f = b.forward();
  PassBuilder g = b.backward();
  each_other([&](int32_t r, SetId own) {
    for (Heads half : halves) f.send(0, r, 0, Tensor::q, own, half);
    f.send(0, r, 0, Tensor::kv, own);
    for (Heads half : halves) b.keep(0, Tensor::q, own, half);
    b.keep(0, Tensor::kv, own);
    g.send(0, r, 0, Tensor::d_o, own);
  });
  for (size_t i = 0; i < halves.size(); ++i) {
    const auto step = static_cast<int32_t>(i);
    f.attend(1 + step, 0, all, all, halves[i]);
    g.attend(1 + step, 0, all, all, halves[i]);
    each_other([&](int32_t r, SetId own) {
      f.send(2 + step, 0, r, Tensor::o, own, halves[i]);
      g.send(2 + step, 0, r, Tensor::dq, own, halves[i]);
    });
  }
  each_other([&](int32_t r, SetId own) {
    g.send(static_cast<int32_t>(halves.size()) + 1, 0, r, Tensor::dkv, own);
  });
  return b.finish();
}

}  // namespace

const std::vector<HandPlan>& hand_plans() {
  static const std::vector<HandPlan> plans = {{"direct", direct},
                                              {"zigzag_travelling", zigzag_travelling},
                                              {"gather_all", gather_all},
                                              {"queries_travel", queries_travel}};
  return plans;
}

}  // namespace cpbench
