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

// All keys that one rank attends with one query set and one head range, in one pass.
struct Attended {
  int32_t rank = 0;
  SetId q = RangeSets::kEmpty;
  Heads heads;
  std::vector<SetId> keys;
};

std::vector<Attended> attended(const Pass& pass) {
  std::map<std::tuple<int32_t, SetId, int32_t, int32_t>, std::vector<SetId>> groups;
  for (const Attend& a : pass.attends) {
    groups[{a.rank, a.q, a.heads.begin, a.heads.end}].push_back(a.kv);
  }
  std::vector<Attended> out;
  for (auto& [key, keys] : groups) {
    auto [rank, q, begin, end] = key;
    out.push_back({rank, q, {begin, end}, std::move(keys)});
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

  // For one rank and one head range; several query sets of a rank may have keys in common.
  int64_t of(const std::vector<const Attended*>& same_heads) {
    Ranges queries, keys;
    for (const Attended* a : same_heads) {
      queries = unite(queries, intersect(plan_.token_sets[a->q], mask_.new_tokens()));
      keys = unite(keys, visible(*a));
    }
    RangeSpan home = plan_.token_sets[plan_.home[same_heads.front()->rank]];
    Heads heads = same_heads.front()->heads;
    int64_t remote_queries = size_of(RangeSpan(subtract(queries, home)));
    int64_t remote_keys = size_of(RangeSpan(subtract(keys, home)));
    return remote_queries * (bytes(Tensor::q, heads) + bytes(Tensor::o, heads)) +
           remote_keys * bytes(Tensor::kv, heads) +
           (backward_ ? remote_queries * (bytes(Tensor::d_o, heads) + bytes(Tensor::dq, heads)) +
                            remote_keys * bytes(Tensor::dkv, heads)
                      : 0);
  }

 private:
  Ranges visible(const Attended& a) {
    Ranges hulls;
    mask_.for_each_block(plan_.token_sets[a.q], [&](Range piece, Range block) {
      hulls.push_back(mask_.visible_hull(piece, block));
    });
    return intersect(normalise(std::move(hulls)), unions_.of(a.keys).united);
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
  std::map<std::tuple<int32_t, int32_t, int32_t>, std::vector<const Attended*>> same_heads;
  std::vector<Attended> groups = attended(plan.forward);
  for (const Attended& a : groups) {
    summary.pairs_per_rank[a.rank] +=
        mask.pairs(plan.token_sets[a.q], unions.of(a.keys).united) * a.heads.size();
    same_heads[{a.rank, a.heads.begin, a.heads.end}].push_back(&a);
  }
  for (const auto& [key, group] : same_heads) summary.useful_bytes += useful.of(group);
  return summary;
}

}  // namespace cpbench
