// MagiAttention: every rank gets the same number of chunks with balanced attention area. Then
// group-casts send exactly the keys that remote queries see, in stages that hide behind attention.
// By option, queries travel to their keys where that takes fewer bytes.
#include <algorithm>
#include <map>
#include <tuple>

#include "baselines/magi/dispatch.h"
#include "baselines/magi/group_cast.h"
#include "baselines/magi/query_moves.h"
#include "baselines/magi/stages.h"
#include "harness/plan/builder.h"
#include "harness/plan/mask.h"
#include "harness/plan/plan_bytes.h"
#include "harness/strategy/group_cost.h"
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
    areas.push_back(mask.work({&chunks.back(), 1}));
  }
  const std::vector<int32_t> rank_of = dispatch(areas, problem.ranks());
  std::vector<Ranges> shards(problem.ranks());
  for (size_t c = 0; c < chunks.size(); ++c) shards[rank_of[c]].push_back(chunks[c]);
  for (Ranges& shard : shards) shard = normalise(std::move(shard));
  return shards;
}

struct Layout {
  std::vector<Ranges> shards;
  std::vector<QueryMove> moves;
  std::vector<std::vector<Ranges>> stages;  // the keys that arrive, by stage and rank
};

class Planner {
 public:
  explicit Planner(const Problem& problem) : builder_(problem), ranks_(problem.ranks()) {}

  Plan run(const Layout& layout, bool keep) {
    for (int32_t r = 0; r < ranks_; ++r) builder_.home(r, layout.shards[r]);
    for (const QueryMove& move : layout.moves) {
      moves_.push_back({move.from, move.to, builder_.tokens(move.queries)});
    }
    for (const std::vector<Ranges>& stage : layout.stages) add_stage(layout, stage);
    collect_attends(layout);
    PassBuilder forward = builder_.forward();
    send_queries(forward, Tensor::q);
    send_keys(forward);
    attend(forward);
    return_results(forward, Tensor::o);
    PassBuilder backward = builder_.backward();
    if (keep) {
      for (const auto& [from, to, queries] : moves_) builder_.keep(to, Tensor::q, queries);
      for (const std::vector<SetId>& stage : received_) {
        for (int32_t r = 0; r < ranks_; ++r) builder_.keep(r, Tensor::kv, stage[r]);
      }
    } else {
      send_queries(backward, Tensor::q);
      send_keys(backward);
    }
    send_queries(backward, Tensor::d_o);
    attend(backward);
    return_results(backward, Tensor::dq);
    for (const auto& [key, tokens] : multicasts_) {
      const auto& [stage, from, to] = key;
      backward.reduce(stage + 2, to, from, Tensor::dkv, tokens);
    }
    return builder_.finish();
  }

 private:
  using Key = std::tuple<int32_t, int32_t, SetId>;  // stage, owner, receivers

  void add_stage(const Layout& layout, const std::vector<Ranges>& arriving) {
    const auto stage = static_cast<int32_t>(received_.size());
    std::map<Key, Ranges> tokens_of;
    for (const Cast& cast : group_casts(layout.shards, arriving)) {
      tokens_of[{stage, cast.from, builder_.ranks(as_ranges(cast.to))}].push_back(cast.tokens);
    }
    for (auto& [key, tokens] : tokens_of) {
      multicasts_.emplace_back(key, builder_.tokens(normalise(std::move(tokens))));
    }
    received_.emplace_back();
    for (const Ranges& tokens : arriving) received_.back().push_back(builder_.tokens(tokens));
  }

  // Stage s travels in step s, behind the attention to what came before it.
  void send_keys(PassBuilder& pass) {
    for (const auto& [key, tokens] : multicasts_) {
      const auto& [stage, from, to] = key;
      pass.multicast(stage, from, to, Tensor::kv, tokens);
    }
  }

  // Queries travel in step 0 and are attended to the keys of their receiver in step 1.
  void send_queries(PassBuilder& pass, Tensor tensor) {
    for (const auto& [from, to, queries] : moves_) pass.send(0, from, to, tensor, queries);
  }
  void return_results(PassBuilder& pass, Tensor tensor) {
    for (const auto& [from, to, queries] : moves_) pass.send(2, to, from, tensor, queries);
  }

  // A rank attends its queries to what it receives, except those that have moved to the owner of
  // these keys.
  void collect_attends(const Layout& layout) {
    std::vector<Ranges> guests(ranks_);
    std::vector<std::vector<const QueryMove*>> moved(ranks_);
    for (const QueryMove& move : layout.moves) {
      moved[move.from].push_back(&move);
      guests[move.to].insert(guests[move.to].end(), move.queries.begin(), move.queries.end());
    }
    for (int32_t r = 0; r < ranks_; ++r) {
      const SetId home = builder_.home_of(r);
      attends_.push_back({0, r, home, home, {}});
      attends_.push_back({1, r, builder_.tokens(normalise(std::move(guests[r]))), home, {}});
      for (size_t s = 0; s < received_.size(); ++s) {
        const auto step = static_cast<int32_t>(s) + 1;
        Ranges rest = layout.stages[s][r];
        for (const QueryMove* move : moved[r]) {
          const Ranges keys = intersect(rest, layout.shards[move->to]);
          if (keys.empty()) continue;
          rest = subtract(rest, keys);
          const SetId others = builder_.tokens(subtract(layout.shards[r], move->queries));
          attends_.push_back({step, r, others, builder_.tokens(keys), {}});
        }
        attends_.push_back({step, r, home, builder_.tokens(rest), {}});
      }
    }
  }

  void attend(PassBuilder& pass) {
    for (const Attend& a : attends_) pass.attend(a.step, a.rank, a.q, a.kv);
  }

  struct Move {
    int32_t from = 0, to = 0;
    SetId queries = RangeSets::kEmpty;
  };
  PlanBuilder builder_;
  int32_t ranks_;
  std::vector<Move> moves_;
  std::vector<Attend> attends_;
  std::vector<std::pair<Key, SetId>> multicasts_;
  std::vector<std::vector<SetId>> received_;  // by stage and rank
};

// The cluster's rates at the shares of them that upstream assumes for H100s.
StageCosts costs_of(const Problem& problem, const Options& options) {
  constexpr double kAttainedFlops = 0.7, kAttainedBandwidth = 0.6, kMicroseconds = 1e6;
  const AttentionShape& shape = problem.shape;
  const Cluster& cluster = problem.cluster;
  auto known = [](double rate, double otherwise) { return rate > 0 ? rate : otherwise; };
  const double flops = known(cluster.peak_flops_per_second, kDefaultFlopsPerSecond);
  const double bandwidth =
      cluster.nodes == 1
          ? known(cluster.intra_node_bytes_per_second, kDefaultIntraNodeBytesPerSecond)
          : known(cluster.inter_node_bytes_per_second, kDefaultInterNodeBytesPerSecond);
  const double flops_per_pair = 2.0 * shape.query_heads * (shape.head_dim + shape.value_head_dim);
  const auto kv_bytes = static_cast<double>(
      wire_bytes_per_token(Tensor::kv, {0, shape.query_heads}, shape, GradientWire::model));
  auto given = [&](const char* name, double otherwise) {
    return known(options.number(name), otherwise * kMicroseconds);
  };
  return {
      .microseconds_per_pair =
          given("pair_microseconds", flops_per_pair / (flops * kAttainedFlops)),
      .microseconds_per_token =
          given("token_microseconds", kv_bytes / (bandwidth * kAttainedBandwidth)),
  };
}

MoveBytes bytes_of(const Problem& problem, bool kept) {
  const auto bytes = [&](Tensor tensor) {
    return wire_bytes_per_token(tensor, {0, problem.shape.query_heads}, problem.shape,
                                GradientWire::model);
  };
  const int64_t again = kept ? 1 : 2;
  return {.per_query =
              again * bytes(Tensor::q) + bytes(Tensor::o) + bytes(Tensor::d_o) + bytes(Tensor::dq),
          .per_key = again * bytes(Tensor::kv) + bytes(Tensor::dkv)};
}

Layout layout_of(const Problem& problem, const Options& options) {
  const MaskIndex mask(problem.batch);
  Layout out{shards_of(problem, mask, options.integer("chunk_tokens")), {}, {}};
  if (options.boolean("qo_comm")) {
    out.moves =
        query_moves(mask, out.shards, bytes_of(problem, options.text("received_kv") == "kept"));
  }
  out.stages =
      stages_of(mask, out.shards, needed_keys(mask, out.shards, out.moves),
                static_cast<int32_t>(options.integer("stages")), costs_of(problem, options));
  return out;
}

Plan make_plan(const Problem& problem, const Options& options) {
  return Planner(problem).run(layout_of(problem, options), options.text("received_kv") == "kept");
}

std::vector<ReportedValue> make_report(const Problem& problem, const Options& options) {
  const Layout layout = layout_of(problem, options);
  int64_t moved = 0;
  for (const QueryMove& move : layout.moves) moved += size_of(move.queries);
  return {{"stages", static_cast<double>(layout.stages.size()), ""},
          {"moved_queries", static_cast<double>(moved), "tokens"}};
}

}  // namespace
}  // namespace magi

extern const Strategy strategy_magi = {
    .name = "magi",
    .title = "MagiAttention",
    .source = "MagiAttention, github.com/SandAI-org/MagiAttention",
    .moves =
        "exactly the K, V that remote queries see, by group-cast in stages; dK, dV by "
        "group-reduce; by option also Q and O",
    .constraints = "none",
    .options =
        {integer_option(
             "chunk_tokens", "0",
             "tokens per chunk; smaller chunks balance better and move more bytes; 0: ceil(T / 8N)",
             0, 1 << 30),
         integer_option("stages", "0",
                        "parts in which the remote K, V of a rank arrive, each behind attention; "
                        "0: 1 to 8, by estimated time",
                        0, 64),
         number_option("pair_microseconds", "0",
                       "for stages=0: attention to one (query, key) pair, in us; 0: by the cluster",
                       0, 1e6),
         number_option("token_microseconds", "0",
                       "for stages=0: transfer of K, V of one token, in us; 0: by the cluster", 0,
                       1e6),
         boolean_option("qo_comm", "false",
                        "move Q and O instead of K, V where that takes fewer bytes"),
         choice_option(
             "received_kv", "fetched_again",
             "cast K, V again for the backward pass (more bytes) or keep them (more memory)",
             {"fetched_again", "kept"})},
    .tuning = {{"chunk_tokens", {"512", "1024", "2048"}}, {"stages", {"1", "2", "4"}}},
    .plan = magi::make_plan,
    .report = magi::make_report,
};

}  // namespace cpbench
