// PyTorch's context parallelism for flex attention: its load balancers deal queries to ranks, and
// all K, V is gathered.
#include <algorithm>
#include <vector>

#include "harness/plan/mask.h"
#include "harness/strategy/order.h"
#include "harness/strategy/patterns.h"
#include "harness/strategy/sharding.h"
#include "harness/strategy/strategy.h"

namespace cpbench {
namespace {

// How many key blocks some query of the range sees.
int64_t visible_blocks(const MaskIndex& mask, Range queries, int64_t block_tokens) {
  Ranges blocks;
  for (const Range& keys : mask.keys_seen({&queries, 1})) {
    extend(blocks, {keys.begin / block_tokens, (keys.end - 1) / block_tokens + 1});
  }
  return size_of(blocks);
}

// Processing-time based round robin: blocks with the most visible key blocks first, in rounds over
// the ranks that alternate in direction.
std::vector<Ranges> ptrr_shards(const Problem& problem, int64_t block_tokens) {
  const int64_t tokens = problem.tokens();
  const int32_t ranks = problem.ranks();
  std::vector<int64_t> work((tokens + block_tokens - 1) / block_tokens, 0);
  for (const auto& [batch, layers] : layer_batches(problem.batch)) {
    const MaskIndex mask(batch);
    for (size_t block = 0; block < work.size(); ++block) {
      const int64_t begin = static_cast<int64_t>(block) * block_tokens;
      const Range queries{begin, std::min(begin + block_tokens, tokens)};
      work[block] += layers * visible_blocks(mask, queries, block_tokens);
    }
  }
  std::vector<Ranges> shards(ranks);
  int64_t place = 0;
  for (const int32_t block : largest_first(work.size(), [&](int32_t i) { return work[i]; })) {
    const auto at = static_cast<int32_t>(place % ranks);
    const bool ascending = place++ / ranks % 2 == 0;
    const int64_t begin = block * block_tokens;
    shards[ascending ? at : ranks - 1 - at].push_back(
        {begin, std::min(begin + block_tokens, tokens)});
  }
  for (Ranges& shard : shards) shard = normalise(std::move(shard));
  return shards;
}

std::vector<Ranges> shards_of(const Problem& problem, const Options& options) {
  const std::string& balancer = options.text("balancer");
  if (balancer == "head_tail") return head_tail_shards(problem.tokens(), problem.ranks());
  if (balancer == "per_document") return new_and_cached_shards(problem.batch, problem.ranks());
  return ptrr_shards(problem, options.integer("block_tokens"));
}

Plan plan(const Problem& problem, const Options& options) {
  return all_gather_plan(problem, shards_of(problem, options),
                         all_gather_options(options, problem.shape));
}

std::vector<OptionSpec> option_specs() {
  std::vector<OptionSpec> specs = all_gather_option_specs();
  specs.push_back(choice_option("balancer", "ptrr",
                                "blocks dealt by their visible work; a head and a tail chunk of "
                                "the pack; or of each document",
                                {"ptrr", "head_tail", "per_document"}));
  specs.push_back(integer_option("block_tokens", "128",
                                 "tokens per block of queries and of keys, for ptrr", 1, 1 << 30));
  return specs;
}

}  // namespace

extern const Strategy strategy_torch_ptrr = {
    .name = "torch_ptrr",
    .title = "PyTorch context_parallel (PTRR)",
    .source =
        "pytorch/pytorch, torch.distributed.tensor.experimental context_parallel: "
        "_PTRRLoadBalancer",
    .moves = "as allgather, with blocks of queries dealt to ranks by their visible work",
    .constraints = "head_groups divides the KV heads",
    .options = option_specs(),
    .tuning = {{"balancer", {"head_tail", "per_document"}}, {"block_tokens", {"1024"}}},
    .plan = plan,
};

}  // namespace cpbench
