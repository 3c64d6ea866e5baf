#include "harness/measure/communication_groups.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>
#include <utility>

namespace cpbench {
namespace {

class Connected {
 public:
  explicit Connected(int32_t ranks) : parent_(ranks) {
    std::iota(parent_.begin(), parent_.end(), 0);
  }

  int32_t root(int32_t rank) {
    while (parent_[rank] != rank) rank = parent_[rank] = parent_[parent_[rank]];
    return rank;
  }

  void join(int32_t a, int32_t b) { parent_[root(a)] = root(b); }

 private:
  std::vector<int32_t> parent_;
};

}  // namespace

std::vector<RankGroup> communication_groups(const Plan& plan, Passes passes) {
  Connected connected(plan.ranks);
  std::set<std::pair<SetId, SetId>> joined;  // senders and receivers that were handled
  for (const Pass* pass : {&plan.forward, &plan.backward}) {
    if (pass == &plan.backward && passes != Passes::both) continue;
    for (const Send& send : pass->sends) {
      if (send.tokens == RangeSets::kEmpty || !joined.insert({send.from, send.to}).second) continue;
      const auto any = static_cast<int32_t>(plan.rank_sets[send.from].front().begin);
      for (SetId side : {send.from, send.to}) {
        for (const Range& members : plan.rank_sets[side]) {
          for (int64_t r = members.begin; r < members.end; ++r) {
            connected.join(any, static_cast<int32_t>(r));
          }
        }
      }
    }
  }
  std::map<int32_t, RankGroup> by_root;
  for (int32_t r = 0; r < plan.ranks; ++r) by_root[connected.root(r)].push_back(r);
  std::vector<RankGroup> groups;
  for (auto& [root, group] : by_root) {
    if (group.size() > 1) groups.push_back(std::move(group));
  }
  std::sort(groups.begin(), groups.end());
  return groups;
}

GroupHistory history_of(const std::vector<std::vector<RankGroup>>& packs, int32_t ranks) {
  GroupHistory history;
  std::set<RankGroup> seen;
  std::vector<const RankGroup*> last(ranks, nullptr);  // the latest group of each rank
  for (const std::vector<RankGroup>& groups : packs) {
    for (const RankGroup& group : groups) {
      seen.insert(group);
      history.changes += std::any_of(group.begin(), group.end(), [&](int32_t rank) {
        return last[rank] != nullptr && *last[rank] != group;
      });
      for (int32_t rank : group) last[rank] = &group;
    }
  }
  history.communicators = static_cast<int32_t>(seen.size());
  return history;
}

}  // namespace cpbench
