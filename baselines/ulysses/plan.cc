// DeepSpeed-Ulysses: an all-to-all turns token shards into head shards, each rank attends whole
// documents for H/N heads, and another all-to-all returns the output.
#include <algorithm>
#include <string>

#include "harness/plan/builder.h"
#include "harness/strategy/sharding.h"
#include "harness/strategy/strategy.h"

namespace cpbench {
namespace {

class UlyssesPlanner {
 public:
  explicit UlyssesPlanner(const Problem& problem)
      : builder_(problem),
        ranks_(problem.ranks()),
        heads_per_rank_(problem.shape.query_heads / ranks_) {
    std::vector<Ranges> shards = contiguous_shards(problem.tokens(), ranks_);
    for (int32_t r = 0; r < ranks_; ++r) {
      longest_ = std::max(longest_, size_of(shards[r]));
      builder_.home(r, shards[r]);
    }
    everything_ = builder_.tokens(Range{0, problem.tokens()});
  }

  Plan run() {
    PassBuilder forward = builder_.forward();
    to_heads(forward, 0, Tensor::q);
    to_heads(forward, 0, Tensor::kv);
    attend(forward);
    to_tokens(forward, 2, Tensor::o);
    for (Tensor tensor : {Tensor::q, Tensor::kv}) {
      for (int32_t r = 0; r < ranks_; ++r) {
        for (int32_t from = 0; from < ranks_; ++from) {
          if (from != r) builder_.keep(r, tensor, builder_.home_of(from), heads_of(r));
        }
      }
    }
    PassBuilder backward = builder_.backward();
    to_heads(backward, 0, Tensor::d_o);
    attend(backward);
    to_tokens(backward, 2, Tensor::dq);
    to_tokens(backward, 2, Tensor::dkv);
    return builder_.finish();
  }

 private:
  Heads heads_of(int32_t rank) const {
    return {rank * heads_per_rank_, (rank + 1) * heads_per_rank_};
  }

  void attend(PassBuilder& pass) {
    for (int32_t r = 0; r < ranks_; ++r) pass.attend(1, r, everything_, everything_, heads_of(r));
  }

  // Every rank sends each other rank its own tokens for that rank's heads.
  void to_heads(PassBuilder& pass, int32_t step, Tensor tensor) {
    exchange(pass, step, tensor, [this](int32_t from, int32_t to) {
      return std::pair{builder_.home_of(from), heads_of(to)};
    });
  }
  // Every rank sends each other rank that rank's tokens for its own heads.
  void to_tokens(PassBuilder& pass, int32_t step, Tensor tensor) {
    exchange(pass, step, tensor, [this](int32_t from, int32_t to) {
      return std::pair{builder_.home_of(to), heads_of(from)};
    });
  }

  template <typename What>
  void exchange(PassBuilder& pass, int32_t step, Tensor tensor, What what) {
    if (ranks_ == 1) return;
    int32_t collective = pass.collective(CollectiveKind::all_to_all, longest_);
    for (int32_t from = 0; from < ranks_; ++from) {
      for (int32_t to = 0; to < ranks_; ++to) {
        auto [tokens, heads] = what(from, to);
        pass.exchange(step, from, to, tensor, tokens, heads, collective);
      }
    }
  }

  PlanBuilder builder_;
  int32_t ranks_;
  int32_t heads_per_rank_;
  int64_t longest_ = 0;
  SetId everything_ = RangeSets::kEmpty;
};

Plan plan(const Problem& problem, const Options&) {
  int32_t heads = problem.shape.query_heads;
  if (heads % problem.ranks() != 0) {
    throw Unsupported(std::to_string(heads) + " query heads do not divide over " +
                      std::to_string(problem.ranks()) + " ranks");
  }
  return UlyssesPlanner(problem).run();
}

}  // namespace

extern const Strategy strategy_ulysses = {
    .name = "ulysses",
    .title = "DeepSpeed-Ulysses",
    .source = "DeepSpeed Ulysses, arXiv 2309.14509",
    .moves =
        "Q, K, V from token to head shards and O back, by all-to-all; in the backward pass dO, "
        "then dQ, dK, dV",
    .constraints =
        "the ranks divide the query heads; KV heads are replicated if there are more ranks",
    .options = {},
    .plan = plan,
};

}  // namespace cpbench
