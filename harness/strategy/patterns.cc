#include "harness/strategy/patterns.h"

#include <algorithm>
#include <string>

#include "harness/plan/errors.h"
#include "harness/plan/mask.h"

namespace cpbench {

namespace {

// Sets the home of every rank and returns the ranks that own tokens. The others take no part.
std::vector<int32_t> set_homes(PlanBuilder& builder, const std::vector<Ranges>& shards) {
  std::vector<int32_t> members;
  for (size_t r = 0; r < shards.size(); ++r) {
    int32_t rank = static_cast<int32_t>(r);
    if (builder.home(rank, shards[r]) != RangeSets::kEmpty) members.push_back(rank);
  }
  return members;
}

}  // namespace

Plan ring_plan(const Problem& problem, const std::vector<Ranges>& shards) {
  PlanBuilder b(problem);
  std::vector<int32_t> members = set_homes(b, shards);
  int32_t size = static_cast<int32_t>(members.size());
  PassBuilder forward = b.forward();
  for (int32_t step = 0; step < size; ++step) {
    for (int32_t i = 0; i < size; ++i) {
      SetId kv = b.home_of(members[(i - step + size) % size]);
      forward.attend(step, members[i], b.home_of(members[i]), kv);
      if (step + 1 < size) forward.send(step, members[i], members[(i + 1) % size], Tensor::kv, kv);
    }
  }
  b.backward_travelling();
  return b.finish();
}

namespace {

// One pass of query_ring_plan. `queries[i]` are the new queries of members[i].
void query_ring_pass(PassBuilder pass, PlanBuilder& b, const std::vector<int32_t>& members,
                     const std::vector<SetId>& queries, const std::vector<Tensor>& travel,
                     Tensor result) {
  int32_t size = static_cast<int32_t>(members.size());
  for (int32_t step = 0; step < size; ++step) {
    for (int32_t i = 0; i < size; ++i) {
      SetId visiting = queries[(i - step + size) % size];
      if (visiting == RangeSets::kEmpty) continue;
      pass.attend(step, members[i], visiting, b.home_of(members[i]));
      if (step + 1 == size) continue;
      for (Tensor tensor : travel) {
        pass.send(step, members[i], members[(i + 1) % size], tensor, visiting);
      }
    }
  }
  for (int32_t from = 0; from < size; ++from) {
    for (int32_t to = 0; to < size; ++to) {
      if (from == to || queries[to] == RangeSets::kEmpty) continue;
      pass.send(size, members[from], members[to], result, queries[to]);
    }
  }
}

}  // namespace

Plan query_ring_plan(const Problem& problem, const std::vector<Ranges>& shards) {
  PlanBuilder b(problem);
  MaskIndex mask(problem.batch);
  std::vector<int32_t> members = set_homes(b, shards);
  std::vector<SetId> queries;
  for (int32_t r : members) queries.push_back(b.tokens(intersect(shards[r], mask.new_tokens())));
  query_ring_pass(b.forward(), b, members, queries, {Tensor::q}, Tensor::o);
  query_ring_pass(b.backward(), b, members, queries, {Tensor::q, Tensor::d_o}, Tensor::dq);
  return b.finish();
}

Plan all_gather_plan(const Problem& problem, const std::vector<Ranges>& shards,
                     const AllGatherOptions& options) {
  PlanBuilder b(problem);
  std::vector<int32_t> members = set_homes(b, shards);
  int64_t longest = 0;
  for (int32_t r : members) longest = std::max(longest, b.token_sets().size_of(b.home_of(r)));
  SetId everything = b.tokens(Range{0, problem.tokens()});
  bool gathers = members.size() > 1;
  int32_t heads_per_group = problem.shape.query_heads / options.head_groups;
  PassBuilder forward = b.forward();
  for (int32_t group = 0; group < options.head_groups; ++group) {
    Heads heads{group * heads_per_group, (group + 1) * heads_per_group};
    if (gathers) {
      int32_t collective = forward.collective(CollectiveKind::all_gather, longest);
      for (int32_t r = 0; r < problem.ranks(); ++r) {
        forward.multicast(group, r, b.all_ranks(), Tensor::kv, b.home_of(r), heads, collective);
      }
    }
    for (int32_t r : members) {
      forward.attend(gathers ? group + 1 : group, r, b.home_of(r), everything, heads);
    }
  }
  b.backward_by_return(options.received);
  return b.finish();
}

std::vector<OptionSpec> all_gather_option_specs() {
  return {
      integer_option("head_groups", "1",
                     "groups of KV heads; each is gathered while the group before it is attended",
                     1, 1024),
      choice_option("received_kv", "kept",
                    "keep the gathered K, V for the backward pass (more memory) or gather them "
                    "again (more bytes)",
                    {"kept", "fetched_again"})};
}

int32_t head_groups_of(const Options& options, const AttentionShape& shape) {
  const auto groups = static_cast<int32_t>(options.integer("head_groups"));
  if (shape.kv_heads % groups != 0) {
    throw Unsupported(std::to_string(shape.kv_heads) + " KV heads do not divide into " +
                      std::to_string(groups) + " head_groups");
  }
  return groups;
}

AllGatherOptions all_gather_options(const Options& options, const AttentionShape& shape) {
  AllGatherOptions out;
  out.head_groups = head_groups_of(options, shape);
  bool kept = options.text("received_kv") == "kept";
  out.received = kept ? PlanBuilder::ReceivedKv::kept : PlanBuilder::ReceivedKv::fetched_again;
  return out;
}

}  // namespace cpbench
