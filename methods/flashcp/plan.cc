// FlashCP: documents stay whole on one rank if that balances, and the longest are cut over all
// ranks. Only keys that another rank sees travel.
#include <algorithm>
#include <utility>

#include "harness/plan/builder.h"
#include "harness/plan/names.h"
#include "harness/strategy/group_cost.h"
#include "harness/strategy/groups.h"
#include "harness/strategy/strategy.h"
#include "methods/flashcp/exact.h"
#include "methods/flashcp/heuristic.h"
#include "methods/flashcp/transfers.h"

namespace cpbench {
namespace flashcp {
namespace {

// The optimum to a tenth of a percent takes seconds where the very optimum takes hours.
constexpr double kExactGap = 0.001;

// The two terms that the paper adds up (Eqs. 3 and 5), both passes: attention, and 4 B H D (N - 1)
// elements with B = T/N.
void set_times(ExactOptions& options, const Problem& problem) {
  const GroupCost cost(problem);
  const int32_t ranks = problem.ranks();
  options.even_work_seconds = 0;
  for (const Range& sequence : sequences_of(problem.batch)) {
    const double forward = cost.load_of(sequence).attention_seconds / ranks;
    options.even_work_seconds += (1 + kBackwardAttention) * forward;
  }
  options.all_sent_seconds = cost.gather_seconds(problem.tokens() / ranks, ranks);
}

Shards shards_for(const Problem& problem, const Options& options, const Visibility& sees,
                  const std::vector<int64_t>& documents) {
  const double ratio = options.number("ratio");
  if (options.text("solver") == "exact") {
    const bool time = options.text("objective") == "time";
    ExactOptions exact{.objective = time ? Objective::time : Objective::bytes,
                       .ratio = ratio,
                       .granularity_tokens = options.integer("granularity"),
                       .limits = search_limits(options)};
    exact.limits.gap = kExactGap;
    set_times(exact, problem);
    return place_exactly(documents, problem.ranks(), sees, exact);
  }
  const std::string& mode = options.text("mode");
  return place(documents, problem.ranks(), sees,
               {ratio, options.boolean("rotate"),
                mode == "hybrid"      ? Mode::hybrid
                : mode == "whole_doc" ? Mode::whole_doc
                                      : Mode::per_doc});
}

// Everything travels in step 0. If nothing travels there is no collective.
void send_padded(PlanBuilder& builder, const Shards& shards, const std::vector<int64_t>& starts,
                 int32_t ranks, const Visibility& sees) {
  const std::vector<Ranges> sent = sent_tokens(shards, starts, ranks, sees);
  int64_t padded_tokens = 0;
  for (const Ranges& tokens : sent) padded_tokens = std::max(padded_tokens, size_of(tokens));
  if (padded_tokens == 0) return;
  PassBuilder forward = builder.forward();
  const int32_t gather = forward.collective(CollectiveKind::all_gather, padded_tokens);
  const SetId everyone = builder.all_ranks();
  for (int32_t rank = 0; rank < ranks; ++rank) {
    forward.multicast(0, rank, everyone, Tensor::kv, builder.tokens(sent[rank]), {}, gather);
  }
}

void send_exactly(PlanBuilder& builder, const Shards& shards, const std::vector<int64_t>& documents,
                  const std::vector<int64_t>& starts, const Visibility& sees) {
  // One send for each rank and set of destinations, whatever the number of shards.
  struct Part {
    int32_t from;
    SetId to;
    Range tokens;
  };
  std::vector<Part> parts;
  for (const Multicast& cast : exact_multicasts(shards, documents, starts, sees)) {
    parts.push_back({cast.from, builder.ranks(cast.to), cast.tokens});
  }
  std::stable_sort(parts.begin(), parts.end(), [](const Part& a, const Part& b) {
    return a.from != b.from ? a.from < b.from : a.to < b.to;
  });
  for (size_t i = 0; i < parts.size();) {
    const Part& part = parts[i];
    Ranges tokens;
    for (; i < parts.size() && parts[i].from == part.from && parts[i].to == part.to; ++i) {
      tokens.push_back(parts[i].tokens);
    }
    builder.forward().multicast(0, part.from, part.to, Tensor::kv,
                                builder.tokens(normalise(std::move(tokens))));
  }
}

// With `overlap`, the queries of a rank that need no remote keys attend in step 0, and the others
// in step 1. Without it, all attend in step 1 if any keys travel.
void attend(PlanBuilder& builder, const Shards& shards, const std::vector<int64_t>& documents,
            const std::vector<int64_t>& starts, int32_t ranks, const Visibility& sees,
            bool overlap) {
  struct Work {
    Ranges queries, keys;
    void add(const Work& other) {
      queries.insert(queries.end(), other.queries.begin(), other.queries.end());
      keys.insert(keys.end(), other.keys.begin(), other.keys.end());
    }
  };
  std::vector<Ranges> home(ranks);
  std::vector<Work> local(ranks), after_arrival(ranks);
  for (const Shard& shard : shards) {
    const int64_t start = starts[shard.document];
    const Range queries{start + shard.begin, start + shard.end};
    Range keys = sees.keys({shard.begin, shard.end}, documents[shard.document]);
    keys = {start + keys.begin, start + keys.end};
    // Neighbouring shards are on other ranks, so keys outside of the shard are remote.
    Work& work = (keys == queries ? local : after_arrival)[shard.rank];
    home[shard.rank].push_back(queries);
    work.queries.push_back(queries);
    work.keys.push_back(keys);
  }
  const bool waits =
      !overlap && std::any_of(after_arrival.begin(), after_arrival.end(),
                              [](const Work& work) { return !work.queries.empty(); });
  PassBuilder forward = builder.forward();
  for (int32_t rank = 0; rank < ranks; ++rank) {
    builder.home(rank, normalise(std::move(home[rank])));
    if (waits) after_arrival[rank].add(std::exchange(local[rank], {}));
    int32_t step = 0;
    for (Work* work : {&local[rank], &after_arrival[rank]}) {
      if (!work->queries.empty()) {
        forward.attend(step, rank, builder.tokens(normalise(std::move(work->queries))),
                       builder.tokens(normalise(std::move(work->keys))));
      }
      ++step;
    }
  }
}

void require_known_mask(const Batch& batch) {
  for (const auto& [rule, layers] : batch.layer_masks) {
    if ((rule.mask == Mask::causal) == (batch.mask == Mask::causal) &&
        rule.mask <= Mask::sliding_window) {
      continue;
    }
    throw Unsupported(std::string("the work of a shard is not known for layers of mask ") +
                      name_of(rule.mask) + " on a layout for mask " + name_of(batch.mask));
  }
  if (batch.is_uniform() && batch.mask <= Mask::sliding_window) return;
  throw Unsupported("the work of a shard is known for a causal, full or sliding-window mask of " +
                    std::string("whole documents, not for ") +
                    (batch.is_uniform() ? std::string("mask ") + name_of(batch.mask)
                                        : "documents with parents or rules of their own"));
}

Plan make_plan(const Problem& problem, const Options& options) {
  require_known_mask(problem.batch);
  const Visibility sees(problem.batch);
  const std::vector<int64_t> documents = sees.documents(problem.batch);
  const Shards shards = shards_for(problem, options, sees, documents);
  std::vector<int64_t> starts;
  int64_t start = 0;
  for (int64_t tokens : documents) {
    starts.push_back(start);
    start += tokens;
  }

  PlanBuilder builder(problem);
  attend(builder, shards, documents, starts, problem.ranks(), sees, options.boolean("overlap"));
  if (options.text("transfers") == "padded") {
    send_padded(builder, shards, starts, problem.ranks(), sees);
  } else {
    send_exactly(builder, shards, documents, starts, sees);
  }
  builder.gradient_wire(GradientWire::model);
  builder.backward_by_return();
  return builder.finish();
}

}  // namespace
}  // namespace flashcp

extern const Strategy strategy_flashcp = {
    .name = "flashcp",
    .title = "FlashCP",
    .source = "FlashCP, arXiv 2606.08476v1",
    .moves = "K,V of those parts of documents that another rank sees, in one padded all-gather",
    .constraints =
        "mask document_causal, causal, document_full or sliding_window, without parents; "
        "solver=exact requires CBC, small cases, and no sliding window",
    .options = {number_option("ratio", "1.05",
                              "imbalance (max / mean attention work) to stay within", 1, 100),
                choice_option(
                    "transfers", "padded",
                    "padded: one all-gather; exact: each rank gets only the keys that it sees",
                    {"padded", "exact"}),
                boolean_option("overlap", "false",
                               "attention that needs no remote keys runs during the all-gather; "
                               "the paper describes none that does"),
                boolean_option("rotate", "false",
                               "shift the rank order from one Per-Doc document to the next"),
                choice_option("mode", "hybrid",
                              "which documents may be Per-Doc: the longest (hybrid), none or all",
                              {"hybrid", "whole_doc", "per_doc"}),
                choice_option("solver", "heuristic", "exact: an integer program, for small cases",
                              {"heuristic", "exact"}),
                choice_option("objective", "time",
                              "for solver=exact: minimises the largest work plus the communication "
                              "(time), or the communication within the ratio (bytes)",
                              {"time", "bytes"}),
                integer_option("granularity", "512",
                               "for solver=exact: the part of a document that is never sent begins "
                               "at a multiple of so many tokens",
                               1, 1 << 30),
                integer_option("nodes", "20000",
                               "for solver=exact: search nodes before it gives up", 1, 1 << 30),
                number_option("seconds", "60", "for solver=exact: seconds before it gives up",
                              0.001, 1e6)},
    .tuning = {{"ratio", {"1.02", "1.1", "1.2"}}, {"transfers", {"exact"}}, {"overlap", {"true"}}},
    .plan = flashcp::make_plan,
};

}  // namespace cpbench
