// Communication patterns that several strategies share, over any sharding.
//
//   Plan plan = ring_plan(problem, contiguous_shards(problem.tokens(), problem.ranks()));
//
// `shards` has one token set per rank, the rank's home. Ranks without tokens take no part.
#pragma once

#include <vector>

#include "harness/plan/builder.h"
#include "harness/plan/plan.h"
#include "harness/plan/problem.h"
#include "harness/strategy/options.h"

namespace cpbench {

// Ring: each rank's KV travels N-1 hops and is attended on every rank that it visits. In the
// backward pass KV travels again, its gradient follows in fp32, and goes home after the last hop.
Plan ring_plan(const Problem& problem, const std::vector<Ranges>& shards);

// Ring in which the queries travel: each rank's new queries visit every rank's KV. After the last
// hop each rank sends the partial outputs that it computed home, all in one step. In the backward
// pass Q and dO travel, partial dQ comes home in the same way, and dK and dV stay.
Plan query_ring_plan(const Problem& problem, const std::vector<Ranges>& shards);

// All-gather of K and V, then attention of the home queries to all keys. The backward pass
// reduce-scatters dK, dV. `head_groups`, which must divide the KV heads, splits them into groups
// that are gathered one after another, each while the group before it is attended.
struct AllGatherOptions {
  int32_t head_groups = 1;
  PlanBuilder::ReceivedKv received = PlanBuilder::ReceivedKv::kept;
};
Plan all_gather_plan(const Problem& problem, const std::vector<Ranges>& shards,
                     const AllGatherOptions& options);

// The option `head_groups`. Throws Unsupported if the KV heads do not divide into so many.
int32_t head_groups_of(const Options& options, const AttentionShape& shape);

// The options of a strategy that uses all_gather_plan, and how they are read; throws like
// head_groups_of.
std::vector<OptionSpec> all_gather_option_specs();
AllGatherOptions all_gather_options(const Options& options, const AttentionShape& shape);

}  // namespace cpbench
