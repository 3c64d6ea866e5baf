// A group of ranks that turns token shards into head shards and back (Ulysses). Before and after
// attention every rank owns a shard of the group's tokens; in between it has all of them for an
// equal part of the heads.
//
//   const HeadGroup group(builder, {4, 5}, shards, problem.shape.query_heads);
//   group.to_heads(forward, 0, Tensor::q);   // ranks 4 and 5 exchange half of the heads of Q
#pragma once

#include <vector>

#include "harness/plan/builder.h"

namespace cpbench {

class HeadGroup {
 public:
  // `shards` are the token sets of the ranks. The ranks must divide the query heads.
  HeadGroup(PlanBuilder& builder, std::vector<int32_t> ranks, const std::vector<Ranges>& shards,
            int32_t query_heads);

  int32_t degree() const { return static_cast<int32_t>(ranks_.size()); }
  int32_t rank(int32_t member) const { return ranks_[member]; }
  Heads heads_of(int32_t member) const {
    return {member * heads_per_rank_, (member + 1) * heads_per_rank_};
  }
  SetId tokens() const { return tokens_; }  // of the whole group

  // All-to-alls, padded to the longest shard: every rank sends each other rank its own tokens for
  // that rank's heads, or that rank's tokens for its own heads. A single rank sends nothing.
  void to_heads(PassBuilder& pass, int32_t step, Tensor tensor) const;
  void to_tokens(PassBuilder& pass, int32_t step, Tensor tensor) const;
  // Keeps for the backward pass what `to_heads` brought.
  void keep(PlanBuilder& builder, Tensor tensor) const;
  // Both passes: to heads in step `first`, attention to all tokens of the group, back to tokens.
  void ulysses(PlanBuilder& builder, PassBuilder& forward, PassBuilder& backward,
               int32_t first) const;

 private:
  template <typename Visit>
  void for_each_pair(PassBuilder& pass, Visit visit) const;

  std::vector<int32_t> ranks_;
  int32_t heads_per_rank_;
  std::vector<SetId> shards_;
  SetId tokens_ = RangeSets::kEmpty;
  int64_t longest_ = 0;
};

}  // namespace cpbench
