// MagiAttention: every rank gets the same number of chunks with balanced attention area. Then
// group-casts send exactly the keys that remote queries see, in stages that hide behind attention.
#include <algorithm>
#include <map>
#include <tuple>

#include "baselines/magi/dispatch.h"
#include "baselines/magi/group_cast.h"
#include "harness/plan/builder.h"
#include "harness/strategy/strategy.h"

namespace cpbench {
namespace magi {
namespace {

// Upstream aims at this many chunks per rank if no chunk size is given.
constexpr int64_t kChunksPerRank = 8;

std::vector<Ranges> shards_of(const Problem& problem, const MaskIndex& mask, int64_t chunk_tokens) {
  const int64_t tokens = problem.tokens();
  if (chunk_tokens == 0) {
    const int64_t chunks = kChunksPerRank * problem.ranks();
    chunk_tokens = (tokens + chunks - 1) / chunks;
  }
  std::vector<Range> chunks;
  std::vector<int64_t> areas;
  for (int64_t begin = 0; begin < tokens; begin += chunk_tokens) {
    chunks.push_back({begin, std::min(begin + chunk_tokens, tokens)});
    areas.push_back(mask.pairs({&chunks.back(), 1}));
  }
  const std::vector<int32_t> rank_of = dispatch(areas, problem.ranks());
  std::vector<Ranges> shards(problem.ranks());
  for (size_t c = 0; c < chunks.size(); ++c) shards[rank_of[c]].push_back(chunks[c]);
  for (Ranges& shard : shards) shard = normalise(std::move(shard));
  return shards;
}

class Planner {
 public:
  Planner(const Problem& problem, int32_t stages)
      : builder_(problem), ranks_(problem.ranks()), stages_(stages) {}

  Plan run(const std::vector<Ranges>& shards, const std::vector<Cast>& casts, bool keep_kv) {
    for (int32_t r = 0; r < ranks_; ++r) builder_.home(r, shards[r]);
    assign_stages(casts);
    PassBuilder forward = builder_.forward();
    send_keys(forward);
    attend(forward);
    PassBuilder backward = builder_.backward();
    if (keep_kv) {
      for (int32_t s = 0; s < stages_; ++s) {
        for (int32_t r = 0; r < ranks_; ++r) builder_.keep(r, Tensor::kv, received_[s][r]);
      }
    } else {
      send_keys(backward);
    }
    attend(backward);
    for (const auto& [key, tokens] : multicasts_) {
      const auto& [stage, from, to] = key;
      backward.reduce(stage + 2, to, from, Tensor::dkv, tokens);
    }
    return builder_.finish();
  }

 private:
  using Key = std::tuple<int32_t, int32_t, SetId>;  // stage, owner, receivers

  // Divides what each rank receives, in token order, into `stages` nearly equal parts that are cut
  // between casts. So the receivers of one cast can be in different stages.
  void assign_stages(const std::vector<Cast>& casts) {
    std::vector<int64_t> total(ranks_, 0), taken(ranks_, 0);
    for (const Cast& cast : casts) {
      for (int32_t rank : cast.to) total[rank] += cast.tokens.size();
    }
    std::vector<std::vector<Ranges>> received(stages_, std::vector<Ranges>(ranks_));
    std::map<Key, Ranges> tokens_of;
    std::vector<std::vector<int32_t>> to(stages_);
    for (const Cast& cast : casts) {
      for (int32_t rank : cast.to) {
        // The middle of the cast decides, so that a long cast goes to the stage of most of its
        // tokens.
        const int64_t middle = 2 * taken[rank] + cast.tokens.size() - 1;
        const auto stage = static_cast<int32_t>(middle * stages_ / (2 * total[rank]));
        taken[rank] += cast.tokens.size();
        to[stage].push_back(rank);
        received[stage][rank].push_back(cast.tokens);
      }
      for (int32_t s = 0; s < stages_; ++s) {
        if (to[s].empty()) continue;
        tokens_of[{s, cast.from, builder_.ranks(as_ranges(to[s]))}].push_back(cast.tokens);
        to[s].clear();
      }
    }
    for (auto& [key, tokens] : tokens_of) {
      multicasts_.emplace_back(key, builder_.tokens(normalise(std::move(tokens))));
    }
    received_.assign(stages_, std::vector<SetId>(ranks_, RangeSets::kEmpty));
    for (int32_t s = 0; s < stages_; ++s) {
      for (int32_t r = 0; r < ranks_; ++r) {
        received_[s][r] = builder_.tokens(normalise(std::move(received[s][r])));
      }
    }
  }

  // Stage s travels in step s, behind the attention to what came before it.
  void send_keys(PassBuilder& pass) {
    for (const auto& [key, tokens] : multicasts_) {
      const auto& [stage, from, to] = key;
      pass.multicast(stage, from, to, Tensor::kv, tokens);
    }
  }

  void attend(PassBuilder& pass) {
    for (int32_t r = 0; r < ranks_; ++r) {
      const SetId home = builder_.home_of(r);
      pass.attend(0, r, home, home);
      for (int32_t s = 0; s < stages_; ++s) pass.attend(s + 1, r, home, received_[s][r]);
    }
  }

  PlanBuilder builder_;
  int32_t ranks_;
  int32_t stages_;
  std::vector<std::pair<Key, SetId>> multicasts_;
  std::vector<std::vector<SetId>> received_;  // by stage and rank
};

Plan make_plan(const Problem& problem, const Options& options) {
  const MaskIndex mask(problem.batch);
  const std::vector<Ranges> shards = shards_of(problem, mask, options.integer("chunk_tokens"));
  std::vector<Ranges> needed;
  for (const Ranges& shard : shards) needed.push_back(keys_seen(mask, shard));
  Planner planner(problem, static_cast<int32_t>(options.integer("stages")));
  return planner.run(shards, group_casts(shards, needed), options.text("received_kv") == "kept");
}

}  // namespace
}  // namespace magi

extern const Strategy strategy_magi = {
    .name = "magi",
    .title = "MagiAttention",
    .source = "MagiAttention, github.com/SandAI-org/MagiAttention",
    .moves =
        "exactly the K, V that remote queries see, by group-cast in stages; dK, dV by "
        "group-reduce",
    .constraints = "none",
    .options =
        {integer_option(
             "chunk_tokens", "0",
             "tokens per chunk; smaller chunks balance better and move more bytes; 0: ceil(T / 8N)",
             0, 1 << 30),
         integer_option("stages", "1",
                        "parts in which the remote K, V of a rank arrive, each behind attention", 1,
                        64),
         choice_option(
             "received_kv", "fetched_again",
             "cast K, V again for the backward pass (more bytes) or keep them (more memory)",
             {"fetched_again", "kept"})},
    .tuning = {{"chunk_tokens", {"512", "1024", "2048"}}, {"stages", {"2", "4"}}},
    .plan = magi::make_plan,
};

}  // namespace cpbench
