// Untied Ulysses (UPipe): Ulysses in stages of one query head per rank. The exchanges of a stage
// run behind the attention of the one before it, and only the stages in flight need buffers.
#include <algorithm>
#include <string>
#include <vector>

#include "harness/plan/builder.h"
#include "harness/plan/errors.h"
#include "harness/strategy/sharding.h"
#include "harness/strategy/strategy.h"

namespace cpbench {
namespace {

// Which heads a rank has in which stage. KV heads that are fewer than the ranks count as often as
// they are copied.
class HeadSchedule {
 public:
  HeadSchedule(const AttentionShape& shape, int32_t ranks)
      : ranks_(ranks),
        stages_(shape.query_heads / ranks),
        group_(shape.query_heads / std::max(shape.kv_heads, ranks)) {}

  int32_t stages() const { return stages_; }
  // K, V arrive with the first stage of a KV head; dK, dV leave after the last one.
  bool first_of_kv(int32_t stage) const { return stage % group_ == 0; }
  bool last_of_kv(int32_t stage) const { return stage % group_ == group_ - 1; }
  Heads query_head(int32_t stage, int32_t rank) const {
    const int32_t head = query_heads_of_kv(stage, rank).begin + stage % group_;
    return {head, head + 1};
  }
  // The query heads that share the rank's KV head.
  Heads query_heads_of_kv(int32_t stage, int32_t rank) const {
    const int32_t kv_head = stage / group_ * ranks_ + rank;
    return {kv_head * group_, (kv_head + 1) * group_};
  }

 private:
  int32_t ranks_;
  int32_t stages_;
  int32_t group_;  // query heads per KV head
};

void require_even_heads(const AttentionShape& shape, int32_t ranks) {
  if (shape.query_heads % ranks != 0) {
    throw Unsupported(std::to_string(shape.query_heads) + " query heads do not divide over " +
                      std::to_string(ranks) + " ranks");
  }
  if (shape.kv_heads % ranks != 0 && ranks % shape.kv_heads != 0) {
    throw Unsupported(std::to_string(shape.kv_heads) + " KV heads do not divide " +
                      std::to_string(ranks) + " ranks, nor the ranks the KV heads");
  }
}

class Planner {
 public:
  explicit Planner(const Problem& problem)
      : builder_(problem), ranks_(problem.ranks()), heads_(problem.shape, ranks_) {
    const std::vector<Ranges> shards = contiguous_shards(problem.tokens(), ranks_);
    for (int32_t rank = 0; rank < ranks_; ++rank) builder_.home(rank, shards[rank]);
    longest_ = size_of(shards.front());
    all_ = builder_.tokens(Range{0, problem.tokens()});
  }

  // Stage s is exchanged in step s, attended in step s + 1 and returned in step s + 2.
  Plan run() {
    PassBuilder forward = builder_.forward(), backward = builder_.backward();
    for (int32_t stage = 0; stage < heads_.stages(); ++stage) {
      for (PassBuilder* pass : {&forward, &backward}) {
        to_heads(*pass, stage, Tensor::q);
        if (heads_.first_of_kv(stage)) to_heads(*pass, stage, Tensor::kv);
      }
      to_heads(backward, stage, Tensor::d_o);
      for (PassBuilder* pass : {&forward, &backward}) {
        for (int32_t rank = 0; rank < ranks_; ++rank) {
          const int32_t step = ranks_ > 1 ? stage + 1 : stage;
          pass->attend(step, rank, all_, all_, heads_.query_head(stage, rank));
        }
      }
      to_tokens(forward, stage, Tensor::o);
      to_tokens(backward, stage, Tensor::dq);
      if (heads_.last_of_kv(stage)) to_tokens(backward, stage, Tensor::dkv);
    }
    return builder_.finish();
  }

 private:
  Heads heads_of(Tensor tensor, int32_t stage, int32_t rank) const {
    const bool kv = tensor == Tensor::kv || tensor == Tensor::dkv;
    return kv ? heads_.query_heads_of_kv(stage, rank) : heads_.query_head(stage, rank);
  }
  template <typename Visit>
  void for_each_pair(PassBuilder& pass, Visit visit) const {
    if (ranks_ == 1) return;
    const int32_t collective = pass.collective(CollectiveKind::all_to_all, longest_);
    for (int32_t from = 0; from < ranks_; ++from) {
      for (int32_t to = 0; to < ranks_; ++to) {
        if (from != to) visit(from, to, collective);
      }
    }
  }
  void to_heads(PassBuilder& pass, int32_t stage, Tensor tensor) const {
    for_each_pair(pass, [&](int32_t from, int32_t to, int32_t collective) {
      pass.exchange(stage, from, to, tensor, builder_.home_of(from), heads_of(tensor, stage, to),
                    collective);
    });
  }
  void to_tokens(PassBuilder& pass, int32_t stage, Tensor tensor) const {
    for_each_pair(pass, [&](int32_t from, int32_t to, int32_t collective) {
      pass.exchange(stage + 2, from, to, tensor, builder_.home_of(to),
                    heads_of(tensor, stage, from), collective);
    });
  }

  PlanBuilder builder_;
  int32_t ranks_;
  HeadSchedule heads_;
  int64_t longest_ = 0;  // tokens of the longest shard
  SetId all_ = RangeSets::kEmpty;
};

Plan plan(const Problem& problem, const Options&) {
  require_even_heads(problem.shape, problem.ranks());
  return Planner(problem).run();
}

}  // namespace

extern const Strategy strategy_upipe = {
    .name = "upipe",
    .title = "Untied Ulysses (UPipe)",
    .source =
        "Ghadia et al.: Untied Ulysses, arXiv 2602.21196; togethercomputer/Untied-Ulysses; "
        "NVIDIA-NeMo/Automodel",
    .moves =
        "as ulysses, one query head per rank and stage; a KV head crosses once for all stages that "
        "share it, and again in the backward pass, as Q does",
    .constraints = "the ranks divide the query heads, and the KV heads or these the ranks",
    .options = {},
    .plan = plan,
};

}  // namespace cpbench
