#include "methods/fcp/ulysses.h"

#include <algorithm>
#include <string>
#include <tuple>
#include <utility>

#include "harness/plan/errors.h"

namespace cpbench::fcp {
namespace {

class GroupWriter {
 public:
  GroupWriter(const Problem& problem, const Plan& between, int32_t group)
      : between_(between), group_(group) {
    plan_.ranks = problem.ranks();
    plan_.tokens = between.tokens;
    plan_.query_heads = between.query_heads;
    plan_.gradient_wire = between.gradient_wire;
    plan_.token_sets = between.token_sets;
    for (int32_t r = 0; r < plan_.ranks; ++r) {
      rank_ids_.push_back(plan_.rank_sets.intern(Range{r, r + 1}));
    }
    for (SetId home : between.home) split(between.token_sets[home]);
  }

  Plan run() {
    write(between_.forward, plan_.forward, {Tensor::q, Tensor::kv}, {Tensor::o});
    write(between_.backward, plan_.backward, {Tensor::d_o}, {Tensor::dq, Tensor::dkv});
    for (const Keep& keep : between_.keep) {
      for (int32_t lane = 0; lane < group_; ++lane) {
        plan_.keep.push_back({keep.rank * group_ + lane, keep.tensor, keep.tokens, heads_of(lane)});
      }
    }
    for_each_pair([&](int32_t from, int32_t to) {
      for (Tensor tensor : {Tensor::q, Tensor::kv}) {
        plan_.keep.push_back({to, tensor, plan_.home[from], heads_of(to % group_)});
      }
    });
    return std::move(plan_);
  }

 private:
  // The homes of a group's ranks: equal parts of the group's, the first ones up to a token longer.
  void split(RangeSpan tokens) {
    const int64_t size = size_of(tokens);
    auto range = tokens.begin();
    int64_t used = 0;  // of *range
    for (int32_t lane = 0; lane < group_; ++lane) {
      int64_t left = size / group_ + (lane < size % group_ ? 1 : 0);
      Ranges part;
      while (left > 0) {
        const int64_t take = std::min(left, range->size() - used);
        part.push_back({range->begin + used, range->begin + used + take});
        left -= take;
        used += take;
        if (used == range->size()) {
          ++range;
          used = 0;
        }
      }
      plan_.home.push_back(plan_.token_sets.intern(part));
    }
  }

  Heads heads_of(int32_t lane) const {
    const int32_t share = plan_.query_heads / group_;
    return {lane * share, (lane + 1) * share};
  }

  // Each pair of ranks of one group whose first has tokens at home.
  template <typename Visit>
  void for_each_pair(Visit visit) const {
    for (int32_t from = 0; from < plan_.ranks; ++from) {
      if (plan_.home[from] == RangeSets::kEmpty) continue;
      const int32_t first = from / group_ * group_;
      for (int32_t to = first; to < first + group_; ++to) {
        if (to != from) visit(from, to);
      }
    }
  }

  void send(Pass& pass, int32_t step, int32_t substage, int32_t from, int32_t to, Tensor tensor,
            SetId tokens, int32_t lane) const {
    pass.sends.push_back(
        {step, substage, rank_ids_[from], rank_ids_[to], tensor, tokens, heads_of(lane), -1});
  }

  int32_t rank_in(SetId ranks) const {
    return static_cast<int32_t>(between_.rank_sets[ranks].front().begin);
  }

  // The plan between the groups, one step later, with `first` exchanged inside before it and `last`
  // after it.
  void write(const Pass& source, Pass& pass, std::initializer_list<Tensor> first,
             std::initializer_list<Tensor> last) {
    pass.lookahead = source.lookahead;
    for (Tensor tensor : first) {
      for_each_pair([&](int32_t from, int32_t to) {
        send(pass, 0, 0, from, to, tensor, plan_.home[from], to % group_);
      });
    }
    for (const Attend& attend : source.attends) {
      for (int32_t lane = 0; lane < group_; ++lane) {
        pass.attends.push_back(
            {attend.step + 1, attend.rank * group_ + lane, attend.q, attend.kv, heads_of(lane)});
      }
    }
    std::stable_sort(pass.attends.begin(), pass.attends.end(),
                     [](const Attend& a, const Attend& b) {
                       return std::tie(a.step, a.rank) < std::tie(b.step, b.rank);
                     });
    for (const Send& s : source.sends) {
      for (int32_t lane = 0; lane < group_; ++lane) {
        send(pass, s.step + 1, s.substage, rank_in(s.from) * group_ + lane,
             rank_in(s.to) * group_ + lane, s.tensor, s.tokens, lane);
      }
    }
    for (Tensor tensor : last) {
      for_each_pair([&](int32_t home, int32_t lane) {
        send(pass, source.steps + 1, 0, lane, home, tensor, plan_.home[home], lane % group_);
      });
    }
    count_steps(pass);
  }

  const Plan& between_;
  int32_t group_;
  Plan plan_;
  std::vector<SetId> rank_ids_;
};

}  // namespace

Problem between_groups(const Problem& problem, int32_t group) {
  const int32_t in_node = problem.cluster.gpus_per_node, heads = problem.shape.kv_heads;
  if (in_node % group != 0 || heads % group != 0) {
    throw Unsupported("ulysses=" + std::to_string(group) + " must divide the ranks of a node (" +
                      std::to_string(in_node) + ") and the KV heads (" + std::to_string(heads) +
                      ")");
  }
  Problem between = problem;
  between.cluster.gpus_per_node = in_node / group;
  return between;
}

Plan inside_groups(const Problem& problem, const Plan& between, int32_t group) {
  return GroupWriter(problem, between, group).run();
}

}  // namespace cpbench::fcp
