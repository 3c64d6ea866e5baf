// For strategies that partition the documents into groups and give each group some of the ranks:
// who owns what inside a group, and the plan of all groups together.
//
//   std::vector<Group> groups = {{{0, 1, 2}, {4}},    // document 4 on ranks 0-2
//                                {{3}, {0, 1, 2, 3}}};  // the others on rank 3
//   Plan plan = ring_in_groups(problem, groups);
//
// Groups that share no rank run at the same time. A group starts when each of its ranks has
// finished the groups before it in the list, so a rank's micro-batches follow one another.
#pragma once

#include <vector>

#include "harness/plan/builder.h"
#include "harness/plan/plan.h"
#include "harness/plan/problem.h"
#include "harness/strategy/strategy.h"

namespace cpbench {

struct Group {
  std::vector<int32_t> ranks;      // distinct, in the order of the ring
  std::vector<int32_t> sequences;  // indices into sequences_of(batch)
  int32_t degree() const { return static_cast<int32_t>(ranks.size()); }
  bool operator==(const Group&) const = default;
};

// The option tokens_per_rank, by which strategies size their groups; 0, the default, means T/N.
OptionSpec tokens_per_rank_option();
int64_t tokens_per_rank(const Options& options, const Problem& problem);

// The parts of the batch that see no tokens of each other: its documents (its trees, where
// documents have parents), or the whole pack under the causal mask. Those without tokens are left
// out.
std::vector<Range> sequences_of(const Batch& batch);

// Home: every sequence of a group is cut into 2d chunks, zigzag over its d ranks
// (per_document_shards). KV travels round the ring of the group; in the backward pass it does so
// again, and its gradient follows in fp32. Every sequence must be in exactly one group.
Plan ring_in_groups(const Problem& problem, const std::vector<Group>& groups);

// Home: the group's sequences, one after another, are cut into d contiguous, nearly equal parts. An
// all-to-all of Q, K, V gives each rank its part of the heads (split_heads in head_group.h) of all
// tokens of the group, and another returns O; the backward pass does the same and uses the Q, K, V
// that were kept. Throws Unsupported if a group has more ranks than there are query heads.
Plan ulysses_in_groups(const Problem& problem, const std::vector<Group>& groups);

// groups; groups_of_<d> for each degree d; idle_ranks (in no group); communicators: distinct lists
// of several ranks, for each of which a library would create a communicator; group_changes: groups
// of several ranks in which some rank comes from a different group of several ranks.
std::vector<ReportedValue> group_report(const std::vector<Group>& groups, int32_t ranks);

struct RingSchedule {
  std::vector<Group> groups;  // in the order in which they run
  double seconds = 0;         // when the last rank is done, as GroupCost expects
};
using RingScheduler = RingSchedule (*)(const Problem&, const Options&);

// Strategy::plan and Strategy::report of strategies that decide nothing but a RingSchedule. The
// reported values are those of its groups and planned_seconds.
template <RingScheduler schedule>
Plan plan_rings(const Problem& problem, const Options& options) {
  return ring_in_groups(problem, schedule(problem, options).groups);
}
template <RingScheduler schedule>
std::vector<ReportedValue> ring_report(const Problem& problem, const Options& options) {
  const RingSchedule made = schedule(problem, options);
  std::vector<ReportedValue> report = group_report(made.groups, problem.ranks());
  report.push_back({"planned_seconds", made.seconds, "s"});
  return report;
}

}  // namespace cpbench
