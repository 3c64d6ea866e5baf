#include "methods/fcp/write_plan.h"

#include <algorithm>
#include <tuple>
#include <unordered_set>
#include <utility>

#include "harness/plan/mask.h"
#include "methods/fcp/relayout.h"

namespace cpbench::fcp {
namespace {

// Operations are written in canonical order, directly into the plan, because there are millions of
// them at 1,024 ranks.
class PlanWriter {
 public:
  PlanWriter(const Problem& problem, Schedule schedule, Arm arm)
      : mask_(problem.batch), schedule_(std::move(schedule)), arm_(arm) {
    plan_.ranks = problem.ranks();
    plan_.tokens = problem.tokens();
    plan_.query_heads = problem.shape.query_heads;
    plan_.token_sets = std::move(schedule_.sets);
    find_tokens();
    for (int32_t r = 0; r < plan_.ranks; ++r) {
      plan_.home.push_back(schedule_.reshuffled ? plan_.token_sets.intern(schedule_.home[r])
                                                : plan_.token_sets.intern(tokens_[r]));
      rank_ids_.push_back(plan_.rank_sets.intern(Range{r, r + 1}));
    }
    moves_ = relayout(schedule_, plan_.token_sets);
    start_ = moves_.empty() ? 0 : 1;
    exit_ = start_ + 1 + (arm_ == Arm::base ? substages_of_base() : schedule_.stages);
    first_step_.assign(schedule_.needs.jobs.size(), exit_);
    last_step_.assign(schedule_.needs.jobs.size(), 0);
    repeats_ = !schedule_.deduplicated;
    sort_transfers();
  }

  Plan run() {
    attend_locally();
    attend_arrivals();
    std::stable_sort(plan_.forward.attends.begin(), plan_.forward.attends.end(),
                     [](const Attend& a, const Attend& b) {
                       return std::tie(a.step, a.rank) < std::tie(b.step, b.rank);
                     });
    plan_.backward.attends = plan_.forward.attends;
    send_forward();
    send_backward();
    count_steps(plan_.forward);
    count_steps(plan_.backward);
    return std::move(plan_);
  }

 private:
  // Sorts the transfers by stage and sub-stage.
  void sort_transfers() {
    const size_t count = schedule_.needs.transfers.size();
    const int32_t width = schedule_.substages_per_stage;
    const auto key = [&](size_t i) {
      return static_cast<size_t>(schedule_.slots[i].stage) * width + schedule_.slots[i].substage;
    };
    std::vector<int32_t> next(static_cast<size_t>(schedule_.stages) * width + 1, 0);
    for (size_t i = 0; i < count; ++i) ++next[key(i) + 1];
    for (size_t k = 1; k < next.size(); ++k) next[k] += next[k - 1];
    stage_begin_.push_back(0);
    for (int32_t s = 1; s <= schedule_.stages; ++s)
      stage_begin_.push_back(next[static_cast<size_t>(s) * width]);
    sorted_.resize(count);
    for (size_t i = 0; i < count; ++i) {
      sorted_[next[key(i)]++] = {schedule_.needs.transfers[i], schedule_.slots[i].substage};
    }
    schedule_.needs.transfers = {};
    schedule_.slots = {};
  }

  struct Placed {
    Transfer transfer;
    int32_t substage = 0;
  };

  std::span<const Placed> stage_transfers(int32_t stage) const {
    return {sorted_.data() + stage_begin_[stage], sorted_.data() + stage_begin_[stage + 1]};
  }

  void find_tokens() {
    tokens_.resize(plan_.ranks);
    const std::vector<Unit>& units = schedule_.units.units;
    for (size_t u = 0; u < units.size(); ++u) {
      Ranges& own = tokens_[schedule_.rank_of[u]];
      own.insert(own.end(), units[u].tokens.begin(), units[u].tokens.end());
    }
    for (Ranges& own : tokens_) own = normalise(std::move(own));
  }

  void attend(int32_t step, int32_t job, SetId kv) {
    const Job& j = schedule_.needs.jobs[job];
    plan_.forward.attends.push_back({step, j.rank, j.tokens, kv, {0, plan_.query_heads}});
    first_step_[job] = std::min(first_step_[job], step);
    last_step_[job] = std::max(last_step_[job], step);
  }

  void attend_locally() {
    std::vector<SetId> keys;
    for (int32_t r = 0; r < plan_.ranks; ++r) {
      keys.push_back(plan_.token_sets.intern(unite(tokens_[r], schedule_.needs.from_home[r])));
    }
    const bool waits = substages_of_base() > 0;
    for (size_t j = 0; j < schedule_.needs.jobs.size(); ++j) {
      const auto job = static_cast<int32_t>(j);
      const int32_t rank = schedule_.needs.jobs[j].rank;
      const int32_t step = waits ? 1 : schedule_.local_step[j];
      if (overlapped() && start_ > 0 && step == 0 && needs_only_home(job)) {
        const Ranges here = intersect(plan_.token_sets[keys[rank]], home_of(rank));
        attend(0, job, plan_.token_sets.intern(here));
      } else {
        attend(start_ + step, job, keys[rank]);
      }
    }
  }

  RangeSpan home_of(int32_t rank) const {
    const Range& home = schedule_.home[rank];
    return {&home, home.size() > 0 ? size_t{1} : 0};
  }

  // Whether the job's queries, and all keys of the rank's units that they see, are at home.
  bool needs_only_home(int32_t job) const {
    const Job& j = schedule_.needs.jobs[job];
    const RangeSpan queries = plan_.token_sets[j.tokens];
    if (!contains_all(home_of(j.rank), queries)) return false;
    const Ranges away = subtract(tokens_[j.rank], home_of(j.rank));
    return !overlap(mask_.keys_seen(queries), away);
  }

  // In the base arm, what each sub-stage brought is attended by itself, after everything has come.
  int32_t substages_of_base() const {
    return arm_ == Arm::base && schedule_.stages > 0 ? schedule_.substages_per_stage : 0;
  }
  void attend_arrivals() {
    if (arm_ != Arm::base) {
      for (int32_t stage = 0; stage < schedule_.stages; ++stage) {
        attend_arrivals(stage_transfers(stage), start_ + stage + 1);
      }
      return;
    }
    for (auto first = sorted_.begin(); first != sorted_.end();) {
      const auto last = std::find_if(
          first, sorted_.end(), [&](const Placed& p) { return p.substage != first->substage; });
      attend_arrivals({first, last}, start_ + 1 + first->substage);
      first = last;
    }
  }

  // One attend for each job, with what arrived for it.
  void attend_arrivals(std::span<const Placed> arrivals, int32_t step) {
    arrived_.clear();
    for (const auto& [t, substage] : arrivals) arrived_.push_back({t.job, t.tokens});
    std::sort(arrived_.begin(), arrived_.end());
    for (auto first = arrived_.begin(); first != arrived_.end();) {
      const auto [job, tokens] = *first;
      Ranges keys;
      auto end = first;
      for (; end != arrived_.end() && end->first == job; ++end) {
        const RangeSpan more = plan_.token_sets[end->second];
        keys.insert(keys.end(), more.begin(), more.end());
      }
      const SetId kv =
          end == first + 1 ? tokens : plan_.token_sets.intern(normalise(std::move(keys)));
      attend(step, job, kv);
      first = end;
    }
  }

  void send(Pass& pass, int32_t step, int32_t substage, int32_t from, int32_t to, Tensor tensor,
            SetId tokens) const {
    pass.sends.push_back({step,
                          substage,
                          rank_ids_[from],
                          rank_ids_[to],
                          tensor,
                          tokens,
                          {0, plan_.query_heads},
                          -1});
  }

  // Q or dO of a job come one step before its first attention, and O or dQ go home one step after
  // its last. If not overlapped, they all move at the beginning and at the end.
  void relay_out(Pass& pass, int32_t step, int32_t substage, Tensor tensor) const {
    for (const Move& m : moves_) {
      const int32_t due = overlapped() ? first_step_[m.job] - 1 : 0;
      if (due == step) send(pass, step, substage, m.home, m.owner, tensor, m.tokens);
    }
  }
  void relay_home(Pass& pass, int32_t step, int32_t substage, Tensor tensor) const {
    for (const Move& m : moves_) {
      const int32_t due = overlapped() ? last_step_[m.job] + 1 : exit_;
      if (due == step) send(pass, step, substage, m.owner, m.home, tensor, m.tokens);
    }
  }
  bool overlapped() const { return arm_ == Arm::reshuffle_overlapped; }

  void send_stage(Pass& pass, int32_t step, int32_t stage) {
    for_each_transfer(stage, [&](const Transfer& t, int32_t substage) {
      send(pass, step, substage, t.from, t.to, Tensor::kv, t.tokens);
    });
  }
  void return_stage(Pass& pass, int32_t step, int32_t stage) {
    for_each_transfer(stage, [&](const Transfer& t, int32_t substage) {
      // After the K,V of the same step, so that each sub-stage has only one matching.
      send(pass, step, schedule_.substages_per_stage + substage, t.to, t.from, Tensor::dkv,
           t.tokens);
    });
  }

  template <typename Visit>
  void for_each_transfer(int32_t stage, Visit visit) const {
    std::unordered_set<uint64_t> sent;  // (to, tokens): in one stage a rank gets a set only once
    for (const auto& [t, substage] : stage_transfers(stage)) {
      if (repeats_ && !sent.insert((uint64_t(t.to) << 32) | uint32_t(t.tokens)).second) continue;
      visit(t, substage);
    }
  }

  void send_forward() {
    Pass& pass = plan_.forward;
    pass.sends.reserve(sorted_.size() + 3 * moves_.size());
    const int32_t after = schedule_.substages_per_stage;
    for (const Move& m : moves_) send(pass, 0, 0, m.home, m.owner, Tensor::kv, m.tokens);
    for (int32_t step = 0; step <= exit_; ++step) {
      const int32_t stage = step - start_;
      if (stage >= 0 && stage < schedule_.stages) send_stage(pass, step, stage);
      relay_out(pass, step, step == 0 ? 0 : after, Tensor::q);
      relay_home(pass, step, after + 1, Tensor::o);
    }
  }

  void send_backward() {
    Pass& pass = plan_.backward;
    pass.sends.reserve(2 * sorted_.size() + 3 * moves_.size());
    for (Tensor tensor : {Tensor::q, Tensor::kv}) {
      for (const Move& m : moves_) {
        plan_.keep.push_back({m.owner, tensor, m.tokens, {0, plan_.query_heads}});
      }
    }
    const int32_t after = 2 * schedule_.substages_per_stage;
    for (int32_t step = 0; step <= exit_ + 1; ++step) {
      const int32_t stage = step - start_;
      if (stage >= 0 && stage < schedule_.stages) send_stage(pass, step, stage);
      if (arm_ == Arm::base) {
        if (step == exit_ && schedule_.stages > 0) return_stage(pass, step, 0);
      } else if (stage >= 2 && stage < schedule_.stages + 2) {
        return_stage(pass, step, stage - 2);
      }
      relay_out(pass, step, after, Tensor::d_o);
      relay_home(pass, step, after + 1, Tensor::dq);
      if (step == (schedule_.stages > 0 ? exit_ + 1 : exit_)) {
        for (const Move& m : moves_) {
          send(pass, step, after + 1, m.owner, m.home, Tensor::dkv, m.tokens);
        }
      }
    }
  }

  MaskIndex mask_;
  Schedule schedule_;
  Arm arm_;
  Plan plan_;
  std::vector<SetId> rank_ids_;
  std::vector<Ranges> tokens_;  // of the units of each rank
  std::vector<Move> moves_;
  int32_t start_ = 0;                               // s in the comment of the header
  int32_t exit_ = 0;                                // s + S + 1
  std::vector<Placed> sorted_;                      // transfers by stage and sub-stage
  std::vector<int32_t> stage_begin_;                // in sorted_; stages + 1
  std::vector<std::pair<int32_t, SetId>> arrived_;  // of the current step: job, tokens
  std::vector<int32_t> first_step_;                 // in which each job attends
  std::vector<int32_t> last_step_;
  bool repeats_ = false;  // whether transfers of one stage can repeat
};

}  // namespace

Plan write_plan(const Problem& problem, Schedule schedule, Arm arm) {
  return PlanWriter(problem, std::move(schedule), arm).run();
}

}  // namespace cpbench::fcp
