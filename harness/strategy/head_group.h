// A group of ranks that turns token shards into head shards and back (Ulysses). Before and after
// attention every rank owns a shard of the group's tokens; in between it has all of them for a part
// of the heads.
//
//   const HeadGroup group(builder, {4, 5}, shards, problem.shape);
//   group.to_heads(forward, 0, Tensor::q);   // ranks 4 and 5 exchange half of the heads of Q
#pragma once

#include <vector>

#include "harness/plan/builder.h"

namespace cpbench {

// The query heads of each of so many ranks. At most as many ranks as KV heads: every rank has whole
// groups of query heads that share a KV head, and the first ranks have one group more if the KV
// heads cannot be divided evenly (7 heads on 4 ranks: 2, 2, 2, 1). More ranks than KV heads: the
// query heads differ by at most one, and KV heads are replicated. Throws Unsupported for more ranks
// than query heads.
std::vector<Heads> split_heads(const AttentionShape& shape, int32_t ranks);

class HeadGroup {
 public:
  // `shards` are the token sets of the ranks, of which there are no more than query heads.
  HeadGroup(PlanBuilder& builder, std::vector<int32_t> ranks, const std::vector<Ranges>& shards,
            const AttentionShape& shape);

  int32_t degree() const { return static_cast<int32_t>(ranks_.size()); }
  int32_t rank(int32_t member) const { return ranks_[member]; }
  Heads heads_of(int32_t member) const { return heads_[member]; }
  SetId tokens() const { return tokens_; }  // of the whole group

  // All-to-alls: every rank sends each other rank its own tokens for that rank's heads, or that
  // rank's tokens for its own heads. A single rank sends nothing. If all ranks have equally many
  // heads, blocks are padded to the longest shard; otherwise they have different sizes anyway, and
  // nothing is padded.
  void to_heads(PassBuilder& pass, int32_t step, Tensor tensor) const;
  void to_tokens(PassBuilder& pass, int32_t step, Tensor tensor) const;
  // Keeps for the backward pass what `to_heads` brought.
  void keep(PlanBuilder& builder, Tensor tensor) const;
  // Both passes: to heads in step `first`, attention to all tokens of the group, back to tokens.
  void ulysses(PlanBuilder& builder, PassBuilder& forward, PassBuilder& backward,
               int32_t first) const;

 private:
  // `sent(from, to)` says which tokens and heads one member sends another.
  template <typename Sent>
  void exchange(PassBuilder& pass, int32_t step, Tensor tensor, Sent sent) const;

  std::vector<int32_t> ranks_;
  std::vector<Heads> heads_;  // of each rank; the first has the most and the last the fewest
  std::vector<SetId> shards_;
  SetId tokens_ = RangeSets::kEmpty;
  int64_t longest_ = 0;
};

}  // namespace cpbench
