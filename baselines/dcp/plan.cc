// DCP: data blocks and compute blocks are placed by partitioning a hypergraph. Blocks then travel
// point to point to the ranks that read them, and partial outputs return.
#include <algorithm>
#include <map>
#include <tuple>

#include "baselines/dcp/placement.h"
#include "baselines/magi/group_cast.h"
#include "harness/plan/builder.h"
#include "harness/plan/errors.h"
#include "harness/plan/plan_bytes.h"
#include "harness/strategy/patterns.h"
#include "harness/strategy/strategy.h"

namespace cpbench {
namespace dcp {
namespace {

class Planner {
 public:
  Planner(const Problem& problem, const Blocks& blocks, const Placement& placement)
      : builder_(problem),
        blocks_(blocks),
        at_(placement),
        ranks_(problem.ranks()),
        heads_(problem.shape.query_heads / blocks.head_groups) {
    std::vector<Ranges> homes(ranks_);
    for (size_t i = 0; i < blocks_.data.size(); ++i) {
      homes[at_.home[i]].push_back(blocks_.data[i]);
      names_.push_back(builder_.tokens(blocks_.data[i]));
    }
    for (int32_t r = 0; r < ranks_; ++r) builder_.home(r, normalise(std::move(homes[r])));
    collect_readers();
    collect_attends();
  }

  Plan run(bool kept) {
    PassBuilder forward = builder_.forward();
    send_operands(forward);
    attend(forward);
    give_back(forward, Tensor::o, servers_);
    PassBuilder backward = builder_.backward();
    if (kept) {
      keep(Tensor::q, servers_);
      keep(Tensor::kv, readers_);
    } else {
      send_operands(backward);
    }
    cast(backward, Tensor::d_o, servers_);
    attend(backward);
    give_back(backward, Tensor::dq, servers_);
    give_back(backward, Tensor::dkv, readers_);
    return builder_.finish();
  }

 private:
  Heads heads_of(int32_t first_group, int32_t groups) const {
    return {first_group * heads_, (first_group + groups) * heads_};
  }
  // Calls visit(first, groups) for neighbouring groups of heads for which a list has equal values.
  template <typename List, typename Visit>
  static void for_each_alike(const List& by_group, const Visit& visit) {
    for (size_t first = 0, end; first < by_group.size(); first = end) {
      for (end = first + 1; end < by_group.size() && by_group[end] == by_group[first];) ++end;
      visit(static_cast<int32_t>(first), static_cast<int32_t>(end - first));
    }
  }

  // For each data block and group of heads, the other ranks that attend its queries and those that
  // read its keys.
  void collect_readers() {
    const std::vector<std::vector<int32_t>> none(blocks_.head_groups);
    servers_.assign(blocks_.data.size(), none);
    readers_.assign(blocks_.data.size(), none);
    for (size_t c = 0; c < blocks_.compute.size(); ++c) {
      const ComputeBlock& block = blocks_.compute[c];
      const int32_t rank = at_.server[c];
      if (at_.home[block.q] != rank) servers_[block.q][block.group].push_back(rank);
      if (at_.home[block.kv] != rank) readers_[block.kv][block.group].push_back(rank);
    }
    for (RanksOfBlock* lists : {&servers_, &readers_}) {
      for (auto& of_block : *lists) {
        for (std::vector<int32_t>& ranks : of_block) {
          std::sort(ranks.begin(), ranks.end());
          ranks.erase(std::unique(ranks.begin(), ranks.end()), ranks.end());
        }
      }
    }
  }

  // One call per rank and block of queries over the keys at home, while the others travel, and one
  // over the other keys. Data blocks that are whole documents and stay at home share one call per
  // rank.
  void collect_attends() {
    constexpr int32_t kWhole = -1;                      // as a block of queries: all such documents
    using Row = std::tuple<int32_t, int32_t, int32_t>;  // step, rank, block of queries
    std::vector<int32_t> uses(blocks_.data.size(), 0);
    for (const ComputeBlock& block : blocks_.compute) {
      ++uses[block.q];
      if (block.kv != block.q) ++uses[block.kv];
    }
    std::map<Row, std::vector<Ranges>> keys;  // by group of heads
    for (size_t c = 0; c < blocks_.compute.size(); ++c) {
      const ComputeBlock& block = blocks_.compute[c];
      const int32_t rank = at_.server[c];
      const bool local = at_.home[block.q] == rank && at_.home[block.kv] == rank;
      const bool whole = local && block.q == block.kv && uses[block.q] == blocks_.head_groups;
      auto& by_group = keys[{local ? 0 : 1, rank, whole ? kWhole : block.q}];
      by_group.resize(blocks_.head_groups);
      by_group[block.group].push_back(blocks_.data[block.kv]);
    }
    for (auto& [row, by_group] : keys) {
      for_each_alike(by_group, [&](int32_t first, int32_t groups) {
        if (by_group[first].empty()) return;
        const auto [step, rank, block] = row;
        const SetId kv = builder_.tokens(normalise(by_group[first]));
        const SetId q = block == kWhole ? kv : names_[block];
        attends_.push_back({step, rank, q, kv, heads_of(first, groups)});
      });
    }
  }

  // By data block and group of heads.
  using RanksOfBlock = std::vector<std::vector<std::vector<int32_t>>>;

  // Calls visit(block, ranks, heads).
  template <typename Visit>
  void for_each_list(const RanksOfBlock& lists, const Visit& visit) {
    for (size_t i = 0; i < lists.size(); ++i) {
      for_each_alike(lists[i], [&](int32_t first, int32_t groups) {
        if (!lists[i][first].empty()) visit(i, lists[i][first], heads_of(first, groups));
      });
    }
  }
  void cast(PassBuilder& pass, Tensor tensor, const RanksOfBlock& to) {
    for_each_list(to, [&](size_t i, const std::vector<int32_t>& ranks, Heads heads) {
      pass.multicast(0, at_.home[i], builder_.ranks(magi::as_ranges(ranks)), tensor, names_[i],
                     heads);
    });
  }
  void give_back(PassBuilder& pass, Tensor tensor, const RanksOfBlock& from) {
    for_each_list(from, [&](size_t i, const std::vector<int32_t>& ranks, Heads heads) {
      pass.reduce(2, builder_.ranks(magi::as_ranges(ranks)), at_.home[i], tensor, names_[i], heads);
    });
  }
  void keep(Tensor tensor, const RanksOfBlock& on) {
    for_each_list(on, [&](size_t i, const std::vector<int32_t>& ranks, Heads heads) {
      for (int32_t rank : ranks) builder_.keep(rank, tensor, names_[i], heads);
    });
  }
  void send_operands(PassBuilder& pass) {
    cast(pass, Tensor::q, servers_);
    cast(pass, Tensor::kv, readers_);
  }
  void attend(PassBuilder& pass) {
    for (const Attend& a : attends_) pass.attend(a.step, a.rank, a.q, a.kv, a.heads);
  }

  PlanBuilder builder_;
  const Blocks& blocks_;
  const Placement& at_;
  int32_t ranks_;
  int32_t heads_;             // of a group
  std::vector<SetId> names_;  // of the data blocks' tokens
  RanksOfBlock servers_;
  RanksOfBlock readers_;
  std::vector<Attend> attends_;
};

Plan make_plan(const Problem& problem, const Options& options) {
  const MaskIndex mask(problem.batch);
  const int32_t groups = head_groups_of(options, problem.shape);
  int64_t block_tokens = options.integer("block_tokens");
  if (block_tokens == 0) block_tokens = default_block_tokens(mask, problem.ranks(), groups);
  const Heads heads{0, problem.shape.query_heads / groups};
  auto bytes_of_token = [&](Tensor tensor) {
    return wire_bytes_per_token(tensor, heads, problem.shape, GradientWire::model);
  };
  const Blocks blocks = make_blocks(mask, block_tokens, groups);
  const double imbalance = options.number("imbalance");
  const double of_tokens = options.number("token_imbalance");
  const Placement placement =
      place(blocks, problem.cluster,
            {.qo = bytes_of_token(Tensor::q) + bytes_of_token(Tensor::o),
             .kv = bytes_of_token(Tensor::kv)},
            {.tokens = of_tokens == 0 ? imbalance : of_tokens, .pairs = imbalance});
  return Planner(problem, blocks, placement).run(options.text("received") == "kept");
}

}  // namespace
}  // namespace dcp

extern const Strategy strategy_dcp = {
    .name = "dcp",
    .title = "DCP",
    .source = "DCP: dynamic context parallelism, arXiv 2510.10620",
    .moves = "blocks of Q and of K, V to the ranks that attend them, and partial O back",
    .constraints = "requires METIS, unless whole documents balance or ranks have only a few blocks",
    .options =
        {integer_option(
             "block_tokens", "0",
             "tokens per block; 0: 1024, fewer for short packs, more for very long documents", 0,
             1 << 30),
         integer_option("head_groups", "1",
                        "groups of KV heads whose attention is placed separately; the token's home "
                        "is the same for all",
                        1, 1 << 16),
         number_option("imbalance", "1.1", "limit of max / mean, for tokens and for attention work",
                       1, 100),
         number_option("token_imbalance", "0",
                       "limit of max / mean for tokens, at least 1; 0: that of `imbalance`", 0,
                       100),
         choice_option("received", "kept",
                       "keep received Q, K, V for the backward pass (more memory) or send them "
                       "again (more bytes)",
                       {"kept", "fetched_again"})},
    .tuning = {{"block_tokens", {"2048", "4096"}}, {"imbalance", {"1.3"}}},
    .plan = dcp::make_plan,
};

}  // namespace cpbench
