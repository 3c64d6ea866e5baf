#include "harness/strategy/groups.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "harness/plan/mask.h"
#include "harness/strategy/head_group.h"
#include "harness/strategy/sharding.h"

namespace cpbench {
namespace {

using Shards = std::vector<Ranges>;  // one token set per rank of a group

// Cuts the sequences of the group, laid end to end, by `cut`. Returns the shards in tokens of the
// batch.
template <typename Cut>
Shards shards_of(const Group& group, const std::vector<Range>& sequences, Cut cut) {
  Batch joined;
  for (int32_t s : group.sequences) joined.document_lengths.push_back(sequences[s].size());
  Shards shards = cut(joined, group.degree());
  for (Ranges& shard : shards) {
    Ranges global;
    size_t index = 0;
    int64_t begin = 0;  // of sequence `index`, laid end to end
    for (Range range : shard) {
      while (range.begin < range.end) {
        while (begin + joined.document_lengths[index] <= range.begin) {
          begin += joined.document_lengths[index++];
        }
        int64_t end = std::min(range.end, begin + joined.document_lengths[index]);
        int64_t shift = sequences[group.sequences[index]].begin - begin;
        global.push_back({range.begin + shift, end + shift});
        range.begin = end;
      }
    }
    shard = normalise(std::move(global));
  }
  return shards;
}

// When groups start, and what the ranks own.
class Layout {
 public:
  explicit Layout(int32_t ranks) : free_step_(ranks, 0), home_(ranks) {}

  int32_t start(const std::vector<int32_t>& ranks, int32_t steps) {
    int32_t first = 0;
    for (int32_t rank : ranks) first = std::max(first, free_step_[rank]);
    for (int32_t rank : ranks) free_step_[rank] = first + steps;
    return first;
  }
  void own(int32_t rank, const Ranges& tokens) {
    home_[rank].insert(home_[rank].end(), tokens.begin(), tokens.end());
  }
  void set_homes(PlanBuilder& builder) {
    for (size_t rank = 0; rank < home_.size(); ++rank) {
      builder.home(static_cast<int32_t>(rank), normalise(std::move(home_[rank])));
    }
  }

 private:
  std::vector<int32_t> free_step_;
  std::vector<Ranges> home_;
};

}  // namespace

OptionSpec tokens_per_rank_option() {
  return integer_option("tokens_per_rank", "0",
                        "tokens that a rank holds at a time; sizes the groups; 0: T/N, rounded up",
                        0, 1e12);
}

int64_t tokens_per_rank(const Options& options, const Problem& problem) {
  const int64_t set = options.integer("tokens_per_rank");
  return set > 0 ? set : (problem.tokens() + problem.ranks() - 1) / problem.ranks();
}

std::vector<Range> sequences_of(const Batch& batch) { return MaskIndex(batch).blocks(); }

Plan ring_in_groups(const Problem& problem, const std::vector<Group>& groups) {
  PlanBuilder b(problem);
  PassBuilder forward = b.forward();
  const std::vector<Range> sequences = sequences_of(problem.batch);
  Layout layout(problem.ranks());
  for (const Group& group : groups) {
    const Shards shards = shards_of(group, sequences, [](const Batch& joined, int32_t degree) {
      return per_document_shards(joined, degree, 2);
    });
    std::vector<int32_t> members;  // ranks that own none of the group's tokens take no part
    std::vector<SetId> kv;
    for (int32_t i = 0; i < group.degree(); ++i) {
      if (shards[i].empty()) continue;
      layout.own(group.ranks[i], shards[i]);
      members.push_back(group.ranks[i]);
      kv.push_back(b.tokens(shards[i]));
    }
    const auto size = static_cast<int32_t>(members.size());
    const int32_t first = layout.start(members, size);
    for (int32_t hop = 0; hop < size; ++hop) {
      for (int32_t i = 0; i < size; ++i) {
        const SetId visiting = kv[(i - hop + size) % size];
        forward.attend(first + hop, members[i], kv[i], visiting);
        if (hop + 1 == size) continue;
        forward.send(first + hop, members[i], members[(i + 1) % size], Tensor::kv, visiting);
      }
    }
  }
  layout.set_homes(b);
  b.backward_travelling();
  return b.finish();
}

Plan ulysses_in_groups(const Problem& problem, const std::vector<Group>& groups) {
  PlanBuilder b(problem);
  PassBuilder forward = b.forward(), backward = b.backward();
  const std::vector<Range> sequences = sequences_of(problem.batch);
  Layout layout(problem.ranks());
  for (const Group& group : groups) {
    const Shards shards = shards_of(group, sequences, [](const Batch& joined, int32_t degree) {
      return contiguous_shards(joined.tokens(), degree);
    });
    for (int32_t i = 0; i < group.degree(); ++i) layout.own(group.ranks[i], shards[i]);
    // A single rank attends at once, without a step of exchanges before and after.
    const bool alone = group.degree() == 1;
    const int32_t first = layout.start(group.ranks, alone ? 1 : 3);
    const HeadGroup heads(b, group.ranks, shards, problem.shape);
    heads.ulysses(b, forward, backward, alone ? first - 1 : first);
  }
  layout.set_homes(b);
  return b.finish();
}

std::vector<ReportedValue> group_report(const std::vector<Group>& groups, int32_t ranks) {
  std::map<int32_t, int32_t> of_degree;
  std::set<std::vector<int32_t>> lists;
  std::vector<bool> used(ranks, false);
  std::vector<const Group*> last(ranks, nullptr);  // the rank's last group of several ranks
  int32_t changes = 0;
  for (const Group& group : groups) {
    ++of_degree[group.degree()];
    for (int32_t rank : group.ranks) used[rank] = true;
    if (group.degree() == 1) continue;
    lists.insert(group.ranks);
    changes += std::any_of(group.ranks.begin(), group.ranks.end(), [&](int32_t rank) {
      return last[rank] != nullptr && last[rank]->ranks != group.ranks;
    });
    for (int32_t rank : group.ranks) last[rank] = &group;
  }
  std::vector<ReportedValue> report = {{"groups", static_cast<double>(groups.size()), ""}};
  for (auto [degree, count] : of_degree) {
    report.push_back({"groups_of_" + std::to_string(degree), static_cast<double>(count), ""});
  }
  const auto idle = std::count(used.begin(), used.end(), false);
  report.push_back({"idle_ranks", static_cast<double>(idle), ""});
  report.push_back({"communicators", static_cast<double>(lists.size()), ""});
  report.push_back({"group_changes", static_cast<double>(changes), ""});
  return report;
}

}  // namespace cpbench
