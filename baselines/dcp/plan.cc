// DCP: data blocks and compute blocks are placed by partitioning a hypergraph. Blocks then travel
// point to point to the ranks that read them, and partial outputs return.
#include <algorithm>
#include <map>
#include <tuple>

#include "baselines/dcp/placement.h"
#include "baselines/magi/group_cast.h"
#include "harness/plan/builder.h"
#include "harness/plan/plan_bytes.h"
#include "harness/strategy/strategy.h"

namespace cpbench {
namespace dcp {
namespace {

class Planner {
 public:
  Planner(const Problem& problem, const Blocks& blocks, const Placement& placement)
      : builder_(problem), blocks_(blocks), at_(placement), ranks_(problem.ranks()) {
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
  // For each data block, the other ranks that attend its queries and those that read its keys.
  void collect_readers() {
    servers_.resize(blocks_.data.size());
    readers_.resize(blocks_.data.size());
    for (size_t c = 0; c < blocks_.compute.size(); ++c) {
      const ComputeBlock& block = blocks_.compute[c];
      const int32_t rank = at_.server[c];
      if (at_.home[block.q] != rank) servers_[block.q].push_back(rank);
      if (at_.home[block.kv] != rank) readers_[block.kv].push_back(rank);
    }
    for (auto* lists : {&servers_, &readers_}) {
      for (std::vector<int32_t>& ranks : *lists) {
        std::sort(ranks.begin(), ranks.end());
        ranks.erase(std::unique(ranks.begin(), ranks.end()), ranks.end());
      }
    }
  }

  // One call per rank and block of queries over the keys at home, while the others travel, and one
  // over the other keys. Data blocks that are whole documents and stay at home share one call per
  // rank.
  void collect_attends() {
    struct Row {
      int32_t rank, q;
      int32_t step;
      bool operator<(const Row& other) const {
        return std::tie(step, rank, q) < std::tie(other.step, other.rank, other.q);
      }
    };
    std::vector<int32_t> uses(blocks_.data.size(), 0);
    for (const ComputeBlock& block : blocks_.compute) {
      ++uses[block.q];
      if (block.kv != block.q) ++uses[block.kv];
    }
    std::vector<Ranges> whole(ranks_);
    std::map<Row, Ranges> keys;
    for (size_t c = 0; c < blocks_.compute.size(); ++c) {
      const ComputeBlock& block = blocks_.compute[c];
      const int32_t rank = at_.server[c];
      const bool local = at_.home[block.q] == rank && at_.home[block.kv] == rank;
      if (local && block.q == block.kv && uses[block.q] == 1) {
        whole[rank].push_back(blocks_.data[block.q]);
      } else {
        keys[{rank, block.q, local ? 0 : 1}].push_back(blocks_.data[block.kv]);
      }
    }
    for (int32_t r = 0; r < ranks_; ++r) {
      const SetId documents = builder_.tokens(normalise(std::move(whole[r])));
      attends_.push_back({0, r, documents, documents, {}});
    }
    for (auto& [row, ranges] : keys) {
      attends_.push_back(
          {row.step, row.rank, names_[row.q], builder_.tokens(normalise(std::move(ranges))), {}});
    }
  }

  using RanksOfBlock = std::vector<std::vector<int32_t>>;

  void cast(PassBuilder& pass, Tensor tensor, const RanksOfBlock& to) {
    for (size_t i = 0; i < to.size(); ++i) {
      if (to[i].empty()) continue;
      pass.multicast(0, at_.home[i], builder_.ranks(magi::as_ranges(to[i])), tensor, names_[i]);
    }
  }
  void give_back(PassBuilder& pass, Tensor tensor, const RanksOfBlock& from) {
    for (size_t i = 0; i < from.size(); ++i) {
      if (from[i].empty()) continue;
      pass.reduce(2, builder_.ranks(magi::as_ranges(from[i])), at_.home[i], tensor, names_[i]);
    }
  }
  void keep(Tensor tensor, const RanksOfBlock& on) {
    for (size_t i = 0; i < on.size(); ++i) {
      for (int32_t rank : on[i]) builder_.keep(rank, tensor, names_[i]);
    }
  }
  void send_operands(PassBuilder& pass) {
    cast(pass, Tensor::q, servers_);
    cast(pass, Tensor::kv, readers_);
  }
  void attend(PassBuilder& pass) {
    for (const Attend& a : attends_) pass.attend(a.step, a.rank, a.q, a.kv);
  }

  PlanBuilder builder_;
  const Blocks& blocks_;
  const Placement& at_;
  int32_t ranks_;
  std::vector<SetId> names_;  // of the data blocks' tokens
  RanksOfBlock servers_;
  RanksOfBlock readers_;
  std::vector<Attend> attends_;
};

Plan make_plan(const Problem& problem, const Options& options) {
  const MaskIndex mask(problem.batch);
  int64_t block_tokens = options.integer("block_tokens");
  if (block_tokens == 0) block_tokens = default_block_tokens(mask, problem.ranks());
  const Heads heads{0, problem.shape.query_heads};
  auto bytes_of_token = [&](Tensor tensor) {
    return wire_bytes_per_token(tensor, heads, problem.shape, GradientWire::model);
  };
  const Blocks blocks = make_blocks(mask, block_tokens);
  const Placement placement = place(blocks, problem.cluster,
                                    {.qo = bytes_of_token(Tensor::q) + bytes_of_token(Tensor::o),
                                     .kv = bytes_of_token(Tensor::kv)},
                                    options.number("imbalance"));
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
         number_option("imbalance", "1.1", "limit of max / mean, for tokens and for attention work",
                       1, 100),
         choice_option("received", "kept",
                       "keep received Q, K, V for the backward pass (more memory) or send them "
                       "again (more bytes)",
                       {"kept", "fetched_again"})},
    .tuning = {{"block_tokens", {"2048", "4096"}}, {"imbalance", {"1.3"}}},
    .plan = dcp::make_plan,
};

}  // namespace cpbench
