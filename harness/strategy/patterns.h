// Communication patterns that several strategies share, over any sharding.
#pragma once

#include <vector>

#include "harness/plan/builder.h"
#include "harness/plan/plan.h"
#include "harness/plan/problem.h"
#include "harness/strategy/options.h"

namespace cpbench {

// Ring: each rank's KV goes round over N-1 hops, attended on every rank it visits; backward KV goes
// round again with its gradient behind it, in fp32, and home after the last hop.
Plan ring_plan(const Problem& problem, const std::vector<Ranges>& shards);

// Ring in which the queries travel: each rank's new queries visit every rank's KV, and each rank
// sends the partial output it computed for them home after the last hop, all in one step. Backward
// Q and dO travel, partial dQ comes home alike, dK and dV stay.
Plan query_ring_plan(const Problem& problem, const std::vector<Ranges>& shards);

// All-gather of K and V, then attention of the home queries over all keys; backward
// reduce-scatters dK, dV. `head_groups` splits the KV heads into groups that are gathered one after
// another, each while the one before is attended; it must divide the KV heads.
struct AllGatherOptions {
  int32_t head_groups = 1;
  PlanBuilder::ReceivedKv received = PlanBuilder::ReceivedKv::kept;
};
Plan all_gather_plan(const Problem& problem, const std::vector<Ranges>& shards,
                     const AllGatherOptions& options);

// The options of a strategy that uses all_gather_plan, and how they are read. Throws Unsupported
// when the KV heads do not divide into the groups.
std::vector<OptionSpec> all_gather_option_specs();
AllGatherOptions all_gather_options(const Options& options, const AttentionShape& shape);

}  // namespace cpbench
