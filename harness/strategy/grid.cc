#include "harness/strategy/grid.h"

#include <algorithm>
#include <numeric>

#include "harness/plan/builder.h"
#include "harness/plan/errors.h"

namespace cpbench {
namespace {

class GridPlanner {
 public:
  GridPlanner(const Problem& problem, const std::vector<Ranges>& shards, const Grid& grid)
      : builder_(problem),
        grid_(grid),
        contexts_(problem.ranks() / grid.head_degree),
        heads_per_rank_(problem.shape.query_heads / grid.head_degree) {
    for (int32_t i = 0; i < contexts_; ++i) {
      std::vector<Ranges> parts = split_evenly(shards[i], grid.head_degree);
      padded_.push_back(size_of(parts.front()));
      for (int32_t j = 0; j < grid.head_degree; ++j) {
        builder_.home(rank(i, j), std::move(parts[j]));
      }
      shards_.push_back(builder_.tokens(shards[i]));
      if (!shards[i].empty()) ring_.push_back(i);
    }
    inner_ = std::gcd(size(), grid.inner_ring);
    outer_ = size() / inner_;
    first_ = grid.head_degree > 1 ? 1 : 0;
  }

  Plan run() {
    PassBuilder forward = builder_.forward();
    to_heads(forward, Tensor::q);
    to_heads(forward, Tensor::kv);
    go_round(forward);
    to_tokens(forward, first_ + size(), Tensor::o);

    keep_arrivals();
    PassBuilder backward = builder_.backward();
    to_heads(backward, Tensor::d_o);
    go_round(backward);
    gradients_follow(backward);
    to_tokens(backward, first_ + size(), Tensor::dq);
    to_tokens(backward, gradients_home() + 1, Tensor::dkv);
    if (size() > 1) builder_.gradient_wire(GradientWire::accumulation);
    return builder_.finish();
  }

 private:
  // A place in the ring of rings: position `at` of the inner ring number `window`.
  struct Place {
    int32_t window = 0;
    int32_t at = 0;
  };

  int32_t size() const { return static_cast<int32_t>(ring_.size()); }
  int32_t rank(int32_t context, int32_t j) const {
    return grid_.placement == GridPlacement::head_first ? context * grid_.head_degree + j
                                                        : j * contexts_ + context;
  }
  Heads heads_of(int32_t j) const { return {j * heads_per_rank_, (j + 1) * heads_per_rank_}; }
  int32_t context_of(Place place) const {
    int32_t window = (place.window + outer_) % outer_;
    int32_t at = (place.at + inner_) % inner_;
    return ring_[window * inner_ + at];
  }
  SetId shard_of(Place place) const { return shards_[context_of(place)]; }

  // Calls visit(step, place, round, hop) for every place in every hop of the inner rings, in every
  // round of the outer ring.
  template <typename Visit>
  void for_each_visit(Visit visit) const {
    for (int32_t round = 0; round < outer_; ++round) {
      for (int32_t hop = 0; hop < inner_; ++hop) {
        for (int32_t i = 0; i < size(); ++i) {
          visit(first_ + round * inner_ + hop, Place{i / inner_, i % inner_}, round, hop);
        }
      }
    }
  }
  // The place whose shard is at `place` in that visit.
  Place origin(Place place, int32_t round, int32_t hop) const {
    return {(place.window - round) % outer_, (place.at - hop) % inner_};
  }

  void send(PassBuilder& pass, int32_t step, Place from, Place to, Tensor tensor, SetId tokens) {
    for (int32_t j = 0; j < grid_.head_degree; ++j) {
      pass.send(step, rank(context_of(from), j), rank(context_of(to), j), tensor, tokens,
                heads_of(j));
    }
  }

  void go_round(PassBuilder& pass) {
    for_each_visit([&](int32_t step, Place here, int32_t round, int32_t hop) {
      for (int32_t j = 0; j < grid_.head_degree; ++j) {
        pass.attend(step, rank(context_of(here), j), shard_of(here),
                    shard_of(origin(here, round, hop)), heads_of(j));
      }
      if (hop + 1 < inner_) {
        send(pass, step, here, {here.window, here.at + 1}, Tensor::kv,
             shard_of(origin(here, round, hop)));
      } else if (round + 1 < outer_) {
        // This send is in the last step of the round, but may run during all of it: see lookahead.
        send(pass, step, here, {here.window + 1, here.at}, Tensor::kv,
             shard_of(origin(here, round, 0)));
      }
    });
    pass.lookahead(std::max(1, outer_ > 1 ? inner_ - 1 : 1));
  }

  // The step in which the gradients of one inner ring are back where its KV entered.
  int32_t complete(int32_t round) const {
    return first_ + round * inner_ + (inner_ > 1 ? inner_ : 0);
  }
  int32_t gradients_home() const { return outer_ > 1 ? complete(outer_ - 1) + 1 : complete(0); }

  void gradients_follow(PassBuilder& pass) {
    for_each_visit([&](int32_t step, Place here, int32_t round, int32_t hop) {
      SetId shard = shard_of(origin(here, round, hop));
      if (hop > 0) {  // one step behind the KV; the part of the first rank waits there
        send(pass, step + 1, here, {here.window, here.at + 1}, Tensor::dkv, shard);
      } else if (round > 0) {  // in time for the sum of the next window; home from the last one
        int32_t when = round + 1 < outer_ ? complete(round + 1) : complete(round) + 1;
        send(pass, when, here, {here.window + 1, here.at}, Tensor::dkv, shard);
      }
    });
  }

  // Inside each head group, every rank sends each other rank its own tokens for that rank's heads.
  void to_heads(PassBuilder& pass, Tensor tensor) {
    exchange(pass, 0, tensor, [this](int32_t context, int32_t from, int32_t to) {
      return std::pair{builder_.home_of(rank(context, from)), heads_of(to)};
    });
  }
  // Every rank sends each other rank that rank's tokens for its own heads.
  void to_tokens(PassBuilder& pass, int32_t step, Tensor tensor) {
    exchange(pass, step, tensor, [this](int32_t context, int32_t from, int32_t to) {
      return std::pair{builder_.home_of(rank(context, to)), heads_of(from)};
    });
  }
  template <typename What>
  void exchange(PassBuilder& pass, int32_t step, Tensor tensor, What what) {
    if (grid_.head_degree == 1) return;
    for (int32_t context : ring_) {
      int32_t collective = pass.collective(CollectiveKind::all_to_all, padded_[context]);
      for (int32_t from = 0; from < grid_.head_degree; ++from) {
        for (int32_t to = 0; to < grid_.head_degree; ++to) {
          auto [tokens, heads] = what(context, from, to);
          pass.exchange(step, rank(context, from), rank(context, to), tensor, tokens, heads,
                        collective);
        }
      }
    }
  }

  // What came by all-to-all is kept for the backward pass; what came round the ring is sent again.
  void keep_arrivals() {
    for (Tensor tensor : {Tensor::q, Tensor::kv}) {
      for (int32_t context : ring_) {
        for (int32_t j = 0; j < grid_.head_degree; ++j) {
          for (int32_t from = 0; from < grid_.head_degree; ++from) {
            if (from == j) continue;
            builder_.keep(rank(context, j), tensor, builder_.home_of(rank(context, from)),
                          heads_of(j));
          }
        }
      }
    }
  }

  PlanBuilder builder_;
  Grid grid_;
  int32_t contexts_;
  int32_t heads_per_rank_;
  std::vector<SetId> shards_;    // per context rank
  std::vector<int64_t> padded_;  // per context rank: the most tokens of a rank of its group
  std::vector<int32_t> ring_;    // context ranks with a shard that is not empty
  int32_t inner_ = 1;
  int32_t outer_ = 1;
  int32_t first_ = 0;  // the step of the first attention
};

}  // namespace

Plan grid_plan(const Problem& problem, const std::vector<Ranges>& shards, const Grid& grid) {
  return GridPlanner(problem, shards, grid).run();
}

std::vector<Ranges> split_evenly(RangeSpan set, int32_t parts) {
  std::vector<Ranges> out(parts);
  int64_t total = size_of(set);
  auto range = set.begin();
  int64_t used = 0;  // tokens of *range given away
  for (int32_t part = 0; part < parts; ++part) {
    int64_t left = total / parts + (part < total % parts);
    while (left > 0) {
      int64_t taken = std::min(left, range->size() - used);
      out[part].push_back({range->begin + used, range->begin + used + taken});
      left -= taken;
      used += taken;
      if (used == range->size()) {
        ++range;
        used = 0;
      }
    }
  }
  return out;
}

int32_t largest_common_divisor(int32_t a, int32_t b, int32_t limit) {
  int32_t common = std::gcd(a, b);
  int32_t divisor = std::min(common, std::max(1, limit));
  while (common % divisor != 0) --divisor;
  return divisor;
}

void require_head_degree(const Problem& problem, int64_t degree, const std::string& option) {
  int32_t ranks = problem.ranks();
  int32_t heads = problem.shape.query_heads;
  if (ranks % degree == 0 && heads % degree == 0) return;
  std::string good;
  for (int32_t d = 1; d <= std::gcd(ranks, heads); ++d) {
    if (ranks % d == 0 && heads % d == 0) good += (good.empty() ? "" : ", ") + std::to_string(d);
  }
  throw Unsupported(option + " " + std::to_string(degree) + " does not divide " +
                    std::to_string(ranks) + " ranks and " + std::to_string(heads) +
                    " query heads; " + good + (good == "1" ? " does" : " do"));
}

}  // namespace cpbench
