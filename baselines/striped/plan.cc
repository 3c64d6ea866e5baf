// Striped attention: the tokens are dealt to the ranks in turn, then KV goes round a ring.
#include <algorithm>
#include <string>

#include "harness/strategy/patterns.h"
#include "harness/strategy/strategy.h"

namespace cpbench {
namespace {

// A plan takes 16 bytes for each range of a set, and making it twice that. With this many ranges it
// takes about a gigabyte. They are those of 1,024 ranks with 32K tokens each.
constexpr int64_t kMostRanges = 1 << 25;

std::vector<Ranges> striped_shards(int64_t tokens, int32_t ranks, int64_t stripe) {
  std::vector<Ranges> shards(ranks);
  if (ranks == 1) {
    shards[0] = {{0, tokens}};
    return shards;
  }
  for (Ranges& shard : shards) shard.reserve(tokens / (stripe * ranks) + 1);
  for (int64_t begin = 0, turn = 0; begin < tokens; begin += stripe, ++turn) {
    shards[turn % ranks].push_back({begin, std::min(begin + stripe, tokens)});
  }
  return shards;
}

Plan plan(const Problem& problem, const Options& options) {
  int64_t tokens = problem.tokens();
  int64_t stripe = options.integer("stripe");
  int64_t ranges = (tokens + stripe - 1) / stripe;
  if (problem.ranks() > 1 && ranges > kMostRanges) {
    throw Unsupported(std::to_string(tokens) + " tokens in stripes of " + std::to_string(stripe) +
                      " are " + std::to_string(ranges) + " ranges; at most " +
                      std::to_string(kMostRanges) + " are planned, stripe=" +
                      std::to_string((tokens + kMostRanges - 1) / kMostRanges) + " would do");
  }
  return ring_plan(problem, striped_shards(tokens, problem.ranks(), stripe));
}

}  // namespace

extern const Strategy strategy_striped = {
    .name = "striped",
    .title = "Striped attention",
    .source = "Brandon et al.: Striped Attention, arXiv 2311.09431",
    .moves = "as ring, with token t on rank t mod N",
    .constraints = "tokens / stripe is at most 32M",
    .options = {integer_option(
        "stripe", "1", "consecutive tokens that are dealt to a rank at a time", 1, 1 << 30)},
    .tuning = {{"stripe", {"64", "512"}}},
    .plan = plan,
};

}  // namespace cpbench
