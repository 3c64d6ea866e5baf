#include "harness/measure/plan_summary.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "harness/plan/mask.h"
#include "harness/plan/plan_bytes.h"
#include "harness/plan/set_unions.h"

namespace cpbench {
namespace {

PassSummary pass_summary(const Problem& problem, const Plan& plan, const Pass& pass) {
  PassSummary summary;
  summary.steps = pass.steps;
  summary.attends = static_cast<int64_t>(pass.attends.size());
  summary.sends = static_cast<int64_t>(pass.sends.size());
  summary.bytes_out.assign(plan.ranks, 0);
  summary.bytes_in.assign(plan.ranks, 0);
  const Cluster& cluster = problem.cluster;
  for (const Send& s : pass.sends) {
    int64_t bytes = cost_of(s, pass, plan, problem.shape).bytes_per_pair;
    for (const Range& senders : plan.rank_sets[s.from]) {
      for (int64_t from = senders.begin; from < senders.end; ++from) {
        for (const Range& receivers : plan.rank_sets[s.to]) {
          for (int64_t to = receivers.begin; to < receivers.end; ++to) {
            if (from == to) continue;
            summary.bytes_out[from] += bytes;
            summary.bytes_in[to] += bytes;
            summary.wire_bytes += bytes;
            bool inter = cluster.node_of(static_cast<int32_t>(from)) !=
                         cluster.node_of(static_cast<int32_t>(to));
            if (inter) summary.inter_node_bytes += bytes;
          }
        }
      }
    }
  }
  return summary;
}

// What one rank attends with one head range in one pass: all of these queries with all of these
// keys.
struct Attended {
  std::vector<SetId> queries;
  std::vector<SetId> keys;
};
struct HeadsOfRank {
  int32_t rank = 0;
  Heads heads;
  std::vector<Attended> groups;
};

// Attends of one query set are joined, and then query sets that are attended with the same keys. In
// a ring a rank has one query set; if queries travel it has many, but only its own keys.
std::vector<HeadsOfRank> attended(const Pass& pass) {
  std::map<std::tuple<int32_t, int32_t, int32_t>, std::map<SetId, std::vector<SetId>>> keys_of;
  for (const Attend& a : pass.attends) {
    keys_of[{a.rank, a.heads.begin, a.heads.end}][a.q].push_back(a.kv);
  }
  std::vector<HeadsOfRank> out;
  for (auto& [place, groups] : keys_of) {
    auto [rank, begin, end] = place;
    std::map<std::vector<SetId>, std::vector<SetId>> queries_of;
    for (auto& [q, keys] : groups) {
      std::sort(keys.begin(), keys.end());
      queries_of[std::move(keys)].push_back(q);
    }
    out.push_back({rank, {begin, end}, {}});
    for (auto& [keys, queries] : queries_of) {
      out.back().groups.push_back({std::move(queries), keys});
    }
  }
  return out;
}

// Bytes that must reach and leave a rank because it attends queries or keys whose home is another
// rank.
class UsefulBytes {
 public:
  UsefulBytes(const Problem& problem, const Plan& plan, const MaskIndex& mask, SetUnions& unions,
              bool backward)
      : problem_(problem), plan_(plan), mask_(mask), unions_(unions), backward_(backward) {}

  // Several groups may have keys in common.
  int64_t of(const HeadsOfRank& attended) {
    std::vector<SetId> query_sets;
    Ranges keys;
    for (const Attended& a : attended.groups) {
      query_sets.insert(query_sets.end(), a.queries.begin(), a.queries.end());
      const Ranges more = visible(a);
      keys.insert(keys.end(), more.begin(), more.end());
    }
    const Ranges queries = intersect(unions_.of(std::move(query_sets)).united, mask_.new_tokens());
    RangeSpan home = plan_.token_sets[plan_.home[attended.rank]];
    Heads heads = attended.heads;
    int64_t remote_queries = size_of(RangeSpan(subtract(queries, home)));
    int64_t remote_keys = size_of(RangeSpan(subtract(normalise(std::move(keys)), home)));
    return remote_queries * (bytes(Tensor::q, heads) + bytes(Tensor::o, heads)) +
           remote_keys * bytes(Tensor::kv, heads) +
           (backward_ ? remote_queries * (bytes(Tensor::d_o, heads) + bytes(Tensor::dq, heads)) +
                            remote_keys * bytes(Tensor::dkv, heads)
                      : 0);
  }

 private:
  Ranges visible(const Attended& a) {
    const Ranges seen = mask_.keys_seen(unions_.of(a.queries).united);
    return intersect(seen, unions_.of(a.keys).united);
  }
  int64_t bytes(Tensor tensor, Heads heads) const {
    return wire_bytes_per_token(tensor, heads, problem_.shape, plan_.gradient_wire);
  }

  const Problem& problem_;
  const Plan& plan_;
  const MaskIndex& mask_;
  SetUnions& unions_;
  bool backward_;
};

}  // namespace

PlanSummary summary_of(const Problem& problem, const Plan& plan, const CheckReport& report,
                       Passes passes) {
  PlanSummary summary;
  summary.hash = hash_of(plan);
  summary.peak_bytes = report.peak_bytes;
  summary.forward = pass_summary(problem, plan, plan.forward);
  if (passes == Passes::both) {
    summary.backward = pass_summary(problem, plan, plan.backward);
  } else {
    summary.backward.bytes_out.assign(plan.ranks, 0);
    summary.backward.bytes_in.assign(plan.ranks, 0);
  }
  for (SetId home : plan.home) summary.tokens_per_rank.push_back(plan.token_sets.size_of(home));

  MaskIndex mask(problem.batch);
  SetUnions unions(plan.token_sets);
  UsefulBytes useful(problem, plan, mask, unions, passes == Passes::both);
  summary.pairs_per_rank.assign(plan.ranks, 0);
  for (const HeadsOfRank& of_rank : attended(plan.forward)) {
    for (const Attended& a : of_rank.groups) {
      // No pair is attended twice (P3), so queries that are in several sets count once.
      summary.pairs_per_rank[of_rank.rank] +=
          mask.pairs(unions.of(a.queries).united, unions.of(a.keys).united) * of_rank.heads.size();
    }
    summary.useful_bytes += useful.of(of_rank);
  }
  return summary;
}

}  // namespace cpbench
