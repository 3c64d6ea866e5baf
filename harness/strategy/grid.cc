#include "harness/strategy/grid.h"

#include <algorithm>
#include <numeric>

#include "harness/plan/builder.h"
#include "harness/plan/errors.h"
#include "harness/plan/mask.h"
#include "harness/strategy/head_group.h"

namespace cpbench {
namespace {

class GridPlanner {
 public:
  GridPlanner(const Problem& problem, const std::vector<Ranges>& shards, const Grid& grid)
      : builder_(problem), grid_(grid), contexts_(problem.ranks() / grid.head_degree) {
    const MaskIndex mask(problem.batch);
    for (int32_t i = 0; i < contexts_; ++i) {
      if (grid.backward == GridBackward::queries) {
        queries_.push_back(builder_.tokens(intersect(shards[i], mask.new_tokens())));
      }
      std::vector<Ranges> parts = split_evenly(shards[i], grid.head_degree);
      std::vector<int32_t> ranks;
      for (int32_t j = 0; j < grid.head_degree; ++j) {
        ranks.push_back(grid.placement == GridPlacement::head_first ? i * grid.head_degree + j
                                                                    : j * contexts_ + i);
        builder_.home(ranks.back(), parts[j]);
      }
      groups_.emplace_back(builder_, std::move(ranks), parts, problem.shape);
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
    go_round(forward, false);
    to_tokens(forward, first_ + size(), Tensor::o);

    keep_arrivals();
    PassBuilder backward = builder_.backward();
    to_heads(backward, Tensor::d_o);
    const bool queries = grid_.backward == GridBackward::queries;
    go_round(backward, queries);
    gradients_follow(backward, queries);
    to_tokens(backward, queries ? gradients_home() + 1 : first_ + size(), Tensor::dq);
    to_tokens(backward, queries ? first_ + size() : gradients_home() + 1, Tensor::dkv);
    if (size() > 1 && !queries) builder_.gradient_wire(GradientWire::accumulation);
    return builder_.finish();
  }

 private:
  // A place in the ring of rings: position `at` of the inner ring number `window`.
  struct Place {
    int32_t window = 0;
    int32_t at = 0;
  };

  int32_t size() const { return static_cast<int32_t>(ring_.size()); }
  int32_t context_at(Place place) const {
    int32_t window = (place.window + outer_) % outer_;
    int32_t at = (place.at + inner_) % inner_;
    return ring_[window * inner_ + at];
  }
  const HeadGroup& group_at(Place place) const { return groups_[context_at(place)]; }
  SetId tokens_of(Place place) const { return group_at(place).tokens(); }
  // What goes round from this place: all of its tokens, or those that have a query.
  SetId visitor(Place from, bool queries) const {
    return queries ? queries_[context_at(from)] : tokens_of(from);
  }

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
    const HeadGroup &sender = group_at(from), &receiver = group_at(to);
    for (int32_t j = 0; j < grid_.head_degree; ++j) {
      pass.send(step, sender.rank(j), receiver.rank(j), tensor, tokens, sender.heads_of(j));
    }
  }

  // K, V of every place, or its Q and dO, visit all places and are attended there.
  void go_round(PassBuilder& pass, bool queries) {
    for_each_visit([&](int32_t step, Place here, int32_t round, int32_t hop) {
      const HeadGroup& group = group_at(here);
      const SetId visiting = visitor(origin(here, round, hop), queries);
      for (int32_t j = 0; j < grid_.head_degree; ++j) {
        pass.attend(step, group.rank(j), queries ? visiting : group.tokens(),
                    queries ? group.tokens() : visiting, group.heads_of(j));
      }
      const bool last_hop = hop + 1 == inner_;
      if (last_hop && round + 1 == outer_) return;
      // The send to the next inner ring is in the last step of the round, but may run during all of
      // it: see lookahead.
      const Place next =
          last_hop ? Place{here.window + 1, here.at} : Place{here.window, here.at + 1};
      const SetId sent = last_hop ? visitor(origin(here, round, 0), queries) : visiting;
      const auto travel = queries ? std::vector{Tensor::q, Tensor::d_o} : std::vector{Tensor::kv};
      for (const Tensor tensor : travel) send(pass, step, here, next, tensor, sent);
    });
    pass.lookahead(std::max(1, outer_ > 1 ? inner_ - 1 : 1));
  }

  // The step in which the gradients of one inner ring are back where its tokens entered.
  int32_t complete(int32_t round) const {
    return first_ + round * inner_ + (inner_ > 1 ? inner_ : 0);
  }
  int32_t gradients_home() const { return outer_ > 1 ? complete(outer_ - 1) + 1 : complete(0); }

  // dQ behind the queries, or dK and dV behind K, V.
  void gradients_follow(PassBuilder& pass, bool queries) {
    const Tensor gradient = queries ? Tensor::dq : Tensor::dkv;
    for_each_visit([&](int32_t step, Place here, int32_t round, int32_t hop) {
      const SetId shard = visitor(origin(here, round, hop), queries);
      if (hop > 0) {  // one step behind the visitor; the part of the first rank waits there
        send(pass, step + 1, here, {here.window, here.at + 1}, gradient, shard);
      } else if (round > 0) {  // in time for the sum of the next window; home from the last one
        int32_t when = round + 1 < outer_ ? complete(round + 1) : complete(round) + 1;
        send(pass, when, here, {here.window + 1, here.at}, gradient, shard);
      }
    });
  }

  void to_heads(PassBuilder& pass, Tensor tensor) {
    for (int32_t context : ring_) groups_[context].to_heads(pass, 0, tensor);
  }
  void to_tokens(PassBuilder& pass, int32_t step, Tensor tensor) {
    for (int32_t context : ring_) groups_[context].to_tokens(pass, step, tensor);
  }

  // What came by all-to-all is kept for the backward pass; what came round the ring is sent again.
  void keep_arrivals() {
    for (Tensor tensor : {Tensor::q, Tensor::kv}) {
      for (int32_t context : ring_) groups_[context].keep(builder_, tensor);
    }
  }

  PlanBuilder builder_;
  Grid grid_;
  int32_t contexts_;
  std::vector<HeadGroup> groups_;  // per context rank
  std::vector<SetId> queries_;     // per context rank, if they go round: its tokens with a query
  std::vector<int32_t> ring_;      // context ranks with a shard that is not empty
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
  const int32_t ranks = problem.ranks();
  const int32_t heads = problem.shape.query_heads;
  if (ranks % degree == 0 && degree <= heads) return;
  std::string good;
  for (int32_t d = 1; d <= std::min(ranks, heads); ++d) {
    if (ranks % d == 0) good += (good.empty() ? "" : ", ") + std::to_string(d);
  }
  throw Unsupported(option + " " + std::to_string(degree) + " must divide the " +
                    std::to_string(ranks) + " ranks and be at most the " + std::to_string(heads) +
                    " query heads: " + good);
}

}  // namespace cpbench
