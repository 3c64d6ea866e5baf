// Strategies that partition the documents into groups, each handled by some of the ranks: who owns
// what inside a group, and the plan of all groups together.
//
//   std::vector<Group> groups = {{{0, 1, 2}, {4}},    // document 4 on ranks 0-2
//                                {{3}, {0, 1, 2, 3}}};  // the others on rank 3
//   Plan plan = ring_in_groups(problem, groups);
//
// Groups that share no rank run at the same time. A group starts when each of its ranks is done
// with the groups before it in the list: so a rank's micro-batches follow one another.
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

// The option tokens_per_rank of strategies that size groups by it; 0, the default, is T/N.
OptionSpec tokens_per_rank_option();
int64_t tokens_per_rank(const Options& options, const Problem& problem);

// What may go to one group without seeing another's tokens: documents, or the whole pack under the
// causal mask.
std::vector<Range> sequences_of(const Batch& batch);

// Home: in each group every sequence in 2d chunks, zigzag over the d ranks (per_document_shards).
// KV goes round the ring of the group, backward again with its gradient in fp32 behind it. The
// groups hold every sequence once.
Plan ring_in_groups(const Problem& problem, const std::vector<Group>& groups);

// Home: the group's sequences, one after another, in d contiguous, nearly equal parts. All-to-all
// of Q, K, V to H/d heads of all the group's tokens, and of O back; backward likewise; Q, K, V are
// kept for it. Throws Unsupported if the query heads do not divide over some group.
Plan ulysses_in_groups(const Problem& problem, const std::vector<Group>& groups);

// groups; groups_of_<d> for each degree d; idle_ranks (in no group); communicators: distinct rank
// lists of several ranks, each of which a library would make a communicator for; group_changes:
// groups of several ranks in which some rank comes from another group of several ranks.
std::vector<ReportedValue> group_report(const std::vector<Group>& groups, int32_t ranks);

}  // namespace cpbench
