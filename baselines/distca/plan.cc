// DistCA (core attention disaggregation): tokens stay where they are. The attention of query shards
// moves to ranks with less work, with the queries and the keys that they see.
#include <algorithm>
#include <cmath>
#include <map>

#include "baselines/distca/balance.h"
#include "baselines/magi/group_cast.h"
#include "harness/plan/builder.h"
#include "harness/plan/plan_bytes.h"
#include "harness/strategy/strategy.h"

namespace cpbench {
namespace distca {
namespace {

class Planner {
 public:
  Planner(const Problem& problem, const MaskIndex& mask, const std::vector<Item>& items)
      : builder_(problem), mask_(mask), ranks_(problem.ranks()) {
    std::vector<Ranges> homes(ranks_);
    for (const Item& item : items) {
      for (const Range& part : item.query_ranges()) homes[item.home].push_back(part);
    }
    for (int32_t r = 0; r < ranks_; ++r) {
      homes[r] = normalise(std::move(homes[r]));
      builder_.home(r, homes[r]);
    }
    collect_travelling(items);
    collect_casts(items, homes);
    collect_attends(items, homes);
  }

  Plan run(bool kept) {
    PassBuilder forward = builder_.forward();
    send_operands(forward);
    attend(forward);
    for (const auto& [pair, queries] : travelling_) {
      forward.send(2, pair.second, pair.first, Tensor::o, queries);
    }
    PassBuilder backward = builder_.backward();
    if (kept) {
      keep_operands();
    } else {
      send_operands(backward);
    }
    for (const auto& [pair, queries] : travelling_) {
      backward.send(0, pair.first, pair.second, Tensor::d_o, queries);
    }
    attend(backward);
    for (const auto& [pair, queries] : travelling_) {
      backward.send(2, pair.second, pair.first, Tensor::dq, queries);
    }
    for (const auto& [cast, tokens] : casts_) {
      backward.reduce(2, cast.second, cast.first, Tensor::dkv, tokens);
    }
    return builder_.finish();
  }

 private:
  // Queries that another rank serves, by (home, server).
  void collect_travelling(const std::vector<Item>& items) {
    std::map<std::pair<int32_t, int32_t>, Ranges> queries;
    for (const Item& item : items) {
      if (item.server == item.home) continue;
      for (const Range& part : item.query_ranges()) {
        queries[{item.home, item.server}].push_back(part);
      }
    }
    for (auto& [pair, ranges] : queries) {
      travelling_[pair] = builder_.tokens(normalise(std::move(ranges)));
    }
  }

  void collect_casts(const std::vector<Item>& items, const std::vector<Ranges>& homes) {
    std::vector<Ranges> needed(ranks_);
    for (const Item& item : items) {
      for (const Range& keys : mask_.keys_seen(item.query_ranges())) {
        needed[item.server].push_back(keys);
      }
    }
    for (Ranges& keys : needed) keys = normalise(std::move(keys));
    std::map<std::pair<int32_t, SetId>, Ranges> tokens;
    received_.resize(ranks_);
    for (const magi::Cast& cast : magi::group_casts(homes, needed)) {
      tokens[{cast.from, builder_.ranks(magi::as_ranges(cast.to))}].push_back(cast.tokens);
      for (int32_t rank : cast.to) received_[rank].push_back(cast.tokens);
    }
    for (auto& [key, ranges] : tokens) {
      casts_[key] = builder_.tokens(normalise(std::move(ranges)));
    }
  }

  // A rank's own queries that need nothing remote attend while the operands of the others travel.
  void collect_attends(const std::vector<Item>& items, const std::vector<Ranges>& homes) {
    struct Work {
      Ranges queries, keys;
    };
    std::vector<Work> work[2] = {std::vector<Work>(ranks_), std::vector<Work>(ranks_)};
    for (const Item& item : items) {
      for (const Range& part : item.query_ranges()) {
        const Ranges keys = mask_.keys_seen({&part, 1});
        const bool local = item.server == item.home && contains_all(homes[item.home], keys);
        Work& w = work[local ? 0 : 1][item.server];
        w.queries.push_back(part);
        w.keys.insert(w.keys.end(), keys.begin(), keys.end());
      }
    }
    for (int32_t step : {0, 1}) {
      for (int32_t r = 0; r < ranks_; ++r) {
        Work& w = work[step][r];
        attends_.push_back({step,
                            r,
                            builder_.tokens(normalise(std::move(w.queries))),
                            builder_.tokens(normalise(std::move(w.keys))),
                            {}});
      }
    }
  }

  void send_operands(PassBuilder& pass) {
    for (const auto& [pair, queries] : travelling_) {
      pass.send(0, pair.first, pair.second, Tensor::q, queries);
    }
    for (const auto& [cast, tokens] : casts_) {
      pass.multicast(0, cast.first, cast.second, Tensor::kv, tokens);
    }
  }

  void keep_operands() {
    for (const auto& [pair, queries] : travelling_) {
      builder_.keep(pair.second, Tensor::q, queries);
    }
    for (int32_t r = 0; r < ranks_; ++r) {
      builder_.keep(r, Tensor::kv, builder_.tokens(normalise(std::move(received_[r]))));
    }
  }

  void attend(PassBuilder& pass) {
    for (const Attend& a : attends_) pass.attend(a.step, a.rank, a.q, a.kv);
  }

  PlanBuilder builder_;
  const MaskIndex& mask_;
  int32_t ranks_;
  std::map<std::pair<int32_t, int32_t>, SetId> travelling_;  // (home, server) -> queries
  std::map<std::pair<int32_t, SetId>, SetId> casts_;         // (owner, receivers) -> keys
  std::vector<Ranges> received_;                             // keys, by rank
  std::vector<Attend> attends_;
};

Balanced balanced_items(const Problem& problem, const MaskIndex& mask, const Options& options) {
  const int32_t ranks = problem.ranks();
  const bool head_tail = options.text("layout") == "head_tail";
  const Heads heads{0, problem.shape.query_heads};
  auto bytes_of_token = [&](Tensor tensor) {
    return wire_bytes_per_token(tensor, heads, problem.shape, GradientWire::model);
  };
  return balance(head_tail ? head_tail_items(mask, ranks) : contiguous_items(mask, ranks), mask,
                 ranks, options.number("tolerance"),
                 {.per_query = bytes_of_token(Tensor::q) + bytes_of_token(Tensor::o),
                  .per_key = bytes_of_token(Tensor::kv)});
}

Plan make_plan(const Problem& problem, const Options& options) {
  const MaskIndex mask(problem.batch);
  const Balanced balanced = balanced_items(problem, mask, options);
  return Planner(problem, mask, balanced.items).run(options.text("received") == "kept");
}

std::vector<ReportedValue> make_report(const Problem& problem, const Options& options) {
  const Balanced balanced = balanced_items(problem, MaskIndex(problem.batch), options);
  double total = 0, farthest = 0;
  for (int64_t work : balanced.work) total += static_cast<double>(work);
  const double mean = total / problem.ranks();
  int64_t moved = 0;
  for (const Item& item : balanced.items) moved += item.server == item.home ? 0 : item.queries();
  for (int64_t work : balanced.work) {
    farthest = std::max(farthest, std::abs(static_cast<double>(work) - mean) / mean);
  }
  return {{"within_tolerance", balanced.within_tolerance ? 1.0 : 0.0, ""},
          {"tolerance", options.number("tolerance"), "of mean compute"},
          {"farthest_from_mean", farthest, "of mean compute"},
          {"moved_queries", static_cast<double>(moved), "tokens"}};
}

}  // namespace
}  // namespace distca

extern const Strategy strategy_distca = {
    .name = "distca",
    .title = "DistCA",
    .source = "DistCA, core attention disaggregation, github.com/hao-ai-lab/DistCA",
    .moves =
        "Q and K, V of attention that moves to ranks with less work, and O back; K, V of cut "
        "documents",
    .constraints = "none",
    .options = {number_option(
                    "tolerance", "0.1",
                    "how far from the mean attention work a rank may be, as a fraction of the mean",
                    0, 100),
                choice_option("layout", "head_tail",
                              "how a document is cut over ranks: into mirrored or contiguous parts",
                              {"head_tail", "contiguous"}),
                choice_option("received", "kept",
                              "keep received Q, K, V for the backward pass (more memory) or send "
                              "them again (more bytes)",
                              {"kept", "fetched_again"})},
    .tuning = {{"tolerance", {"0.05", "0.3"}}, {"layout", {"contiguous"}}},
    .plan = distca::make_plan,
    .report = distca::make_report,
};

}  // namespace cpbench
