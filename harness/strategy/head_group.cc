#include "harness/strategy/head_group.h"

#include <algorithm>
#include <string>

#include "harness/plan/errors.h"

namespace cpbench {

std::vector<Heads> split_heads(const AttentionShape& shape, int32_t ranks) {
  if (ranks > shape.query_heads) {
    throw Unsupported(std::to_string(shape.query_heads) + " query heads are too few for " +
                      std::to_string(ranks) + " ranks");
  }
  const int32_t sharing = shape.query_heads / shape.kv_heads;  // query heads of a KV head
  auto begin = [&](int32_t rank) -> int32_t {
    if (ranks > shape.kv_heads) {
      return static_cast<int32_t>((int64_t{rank} * shape.query_heads + ranks - 1) / ranks);
    }
    return sharing * (rank * (shape.kv_heads / ranks) + std::min(rank, shape.kv_heads % ranks));
  };
  std::vector<Heads> heads;
  for (int32_t rank = 0; rank < ranks; ++rank) heads.push_back({begin(rank), begin(rank + 1)});
  return heads;
}

HeadGroup::HeadGroup(PlanBuilder& builder, std::vector<int32_t> ranks,
                     const std::vector<Ranges>& shards, const AttentionShape& shape)
    : ranks_(std::move(ranks)), heads_(split_heads(shape, degree())) {
  Ranges all;
  for (const Ranges& shard : shards) {
    shards_.push_back(builder.tokens(shard));
    longest_ = std::max(longest_, size_of(shard));
    all.insert(all.end(), shard.begin(), shard.end());
  }
  tokens_ = builder.tokens(normalise(std::move(all)));
}

template <typename Sent>
void HeadGroup::exchange(PassBuilder& pass, int32_t step, Tensor tensor, Sent sent) const {
  if (degree() == 1) return;
  const bool equal_heads = heads_.front().size() == heads_.back().size();
  const int32_t collective =
      equal_heads ? pass.collective(CollectiveKind::all_to_all, longest_) : -1;
  for (int32_t from = 0; from < degree(); ++from) {
    for (int32_t to = 0; to < degree(); ++to) {
      if (from == to) continue;
      const auto [tokens, heads] = sent(from, to);
      if (equal_heads) {
        pass.exchange(step, ranks_[from], ranks_[to], tensor, tokens, heads, collective);
      } else {
        pass.send(step, ranks_[from], ranks_[to], tensor, tokens, heads);
      }
    }
  }
}

void HeadGroup::to_heads(PassBuilder& pass, int32_t step, Tensor tensor) const {
  exchange(pass, step, tensor,
           [&](int32_t from, int32_t to) { return std::pair(shards_[from], heads_[to]); });
}

void HeadGroup::to_tokens(PassBuilder& pass, int32_t step, Tensor tensor) const {
  exchange(pass, step, tensor,
           [&](int32_t from, int32_t to) { return std::pair(shards_[to], heads_[from]); });
}

void HeadGroup::keep(PlanBuilder& builder, Tensor tensor) const {
  for (int32_t i = 0; i < degree(); ++i) {
    for (int32_t from = 0; from < degree(); ++from) {
      if (from != i) builder.keep(ranks_[i], tensor, shards_[from], heads_of(i));
    }
  }
}

void HeadGroup::ulysses(PlanBuilder& builder, PassBuilder& forward, PassBuilder& backward,
                        int32_t first) const {
  for (Tensor tensor : {Tensor::q, Tensor::kv}) {
    to_heads(forward, first, tensor);
    keep(builder, tensor);
  }
  to_heads(backward, first, Tensor::d_o);
  for (PassBuilder* pass : {&forward, &backward}) {
    for (int32_t i = 0; i < degree(); ++i) {
      pass->attend(first + 1, ranks_[i], tokens_, tokens_, heads_of(i));
    }
  }
  to_tokens(forward, first + 2, Tensor::o);
  for (Tensor tensor : {Tensor::dq, Tensor::dkv}) to_tokens(backward, first + 2, tensor);
}

}  // namespace cpbench
