#include "harness/strategy/head_group.h"

#include <algorithm>

namespace cpbench {

HeadGroup::HeadGroup(PlanBuilder& builder, std::vector<int32_t> ranks,
                     const std::vector<Ranges>& shards, int32_t query_heads)
    : ranks_(std::move(ranks)), heads_per_rank_(query_heads / degree()) {
  Ranges all;
  for (const Ranges& shard : shards) {
    shards_.push_back(builder.tokens(shard));
    longest_ = std::max(longest_, size_of(shard));
    all.insert(all.end(), shard.begin(), shard.end());
  }
  tokens_ = builder.tokens(normalise(std::move(all)));
}

template <typename Visit>
void HeadGroup::for_each_pair(PassBuilder& pass, Visit visit) const {
  if (degree() == 1) return;
  const int32_t collective = pass.collective(CollectiveKind::all_to_all, longest_);
  for (int32_t from = 0; from < degree(); ++from) {
    for (int32_t to = 0; to < degree(); ++to) {
      if (from != to) visit(from, to, collective);
    }
  }
}

void HeadGroup::to_heads(PassBuilder& pass, int32_t step, Tensor tensor) const {
  for_each_pair(pass, [&](int32_t from, int32_t to, int32_t collective) {
    pass.exchange(step, ranks_[from], ranks_[to], tensor, shards_[from], heads_of(to), collective);
  });
}

void HeadGroup::to_tokens(PassBuilder& pass, int32_t step, Tensor tensor) const {
  for_each_pair(pass, [&](int32_t from, int32_t to, int32_t collective) {
    pass.exchange(step, ranks_[from], ranks_[to], tensor, shards_[to], heads_of(from), collective);
  });
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
