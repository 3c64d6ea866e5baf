#include "methods/fcp/write_plan.h"

#include <algorithm>
#include <tuple>
#include <unordered_set>
#include <utility>

#include "harness/plan/mask.h"
#include "methods/fcp/relayout.h"

namespace cpbench::fcp {
namespace {

// Operations are written in canonical order, straight into the plan: at 1,024 ranks there are
// millions.
class PlanWriter {
 public:
  PlanWriter(const Problem& problem, Schedule schedule, Arm arm)
      : mask_(problem.batch), schedule_(std::move(schedule)), arm_(arm) {
    plan_.ranks = problem.ranks();
    plan_.tokens = problem.tokens();
    plan_.query_heads = problem.shape.query_heads;
    plan_.token_sets = std::move(schedule_.sets);
    for (int32_t r = 0; r < plan_.ranks; ++r) {
      plan_.home.push_back(plan_.token_sets.intern(schedule_.home[r]));
      rank_ids_.push_back(plan_.rank_sets.intern(Range{r, r + 1}));
    }
    moves_ = relayout(schedule_, plan_.token_sets);
    start_ = moves_.empty() ? 0 : 1;
    exit_ = start_ + schedule_.stages + 1;
    sort_transfers();
  }

  Plan run() {
    attend_locally();
    for (int32_t stage = 0; stage < schedule_.stages; ++stage) attend_stage(stage);
    std::stable_sort(plan_.forward.attends.begin(), plan_.forward.attends.end(),
                     [](const Attend& a, const Attend& b) {
                       return std::tie(a.step, a.rank) < std::tie(b.step, b.rank);
                     });
    plan_.backward.attends = plan_.forward.attends;
    send_forward();
    send_backward();
    for (Pass* pass : {&plan_.forward, &plan_.backward}) {
      // Both lists are sorted by step.
      pass->steps = pass->attends.empty() ? 0 : pass->attends.back().step + 1;
      if (!pass->sends.empty()) pass->steps = std::max(pass->steps, pass->sends.back().step + 1);
    }
    return std::move(plan_);
  }

 private:
  // Transfers by stage and sub-stage. In one stage a rank gets the same tokens once, whichever of
  // its units they are for.
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

  void attend(int32_t step, int32_t rank, SetId q, SetId kv) {
    if (q == RangeSets::kEmpty || kv == RangeSets::kEmpty) return;
    plan_.forward.attends.push_back({step, rank, q, kv, {0, plan_.query_heads}});
  }

  void attend_locally() {
    std::vector<std::vector<int32_t>> owned(plan_.ranks);
    const std::vector<Unit>& units = schedule_.units.units;
    for (size_t u = 0; u < units.size(); ++u) {
      owned[schedule_.rank_of[u]].push_back(static_cast<int32_t>(u));
    }
    const bool waits = arm_ == Arm::base && schedule_.stages > 0;
    const int32_t step = start_ + (waits ? 1 : 0);
    for (int32_t r = 0; r < plan_.ranks; ++r) {
      Ranges tokens;
      for (int32_t u : owned[r]) {
        tokens.insert(tokens.end(), units[u].tokens.begin(), units[u].tokens.end());
      }
      tokens = normalise(std::move(tokens));
      const bool splits = arm_ == Arm::reshuffle_overlapped && start_ > 0;
      if (!splits || !attend_around_relayout(r, owned[r], tokens)) {
        Ranges keys = unite(tokens, schedule_.needs.from_home[r]);
        const SetId q = plan_.token_sets.intern(std::move(tokens));
        attend(step, r, q, plan_.token_sets.intern(std::move(keys)));
      }
    }
  }

  // Queries of units that are wholly at home attend home keys while tokens are relaid: the first
  // half of that work before, the second after. False if there are none.
  bool attend_around_relayout(int32_t rank, const std::vector<int32_t>& owned,
                              const Ranges& tokens) {
    const Range home = schedule_.home[rank];
    const RangeSpan home_span(&home, home.size() > 0 ? 1 : 0);
    const Ranges home_keys = unite(intersect(tokens, home_span), schedule_.needs.from_home[rank]);
    std::vector<std::pair<RangeSpan, int64_t>> at_home;  // a unit's tokens, its cells here
    int64_t cells = 0;
    for (int32_t u : owned) {
      const RangeSpan unit = schedule_.units.units[u].tokens;
      if (!contains_all(home_span, unit)) continue;
      at_home.push_back({unit, mask_.cells(unit, home_keys)});
      cells += at_home.back().second;
    }
    if (at_home.empty()) return false;
    Ranges first, second;
    int64_t done = 0;
    for (const auto& [unit, unit_cells] : at_home) {
      Ranges& half = 2 * done < cells ? first : second;
      half.insert(half.end(), unit.begin(), unit.end());
      done += unit_cells;
    }
    first = normalise(std::move(first));
    second = normalise(std::move(second));
    const Ranges relaid = subtract(subtract(tokens, first), second);
    RangeSets& sets = plan_.token_sets;
    const SetId keys = sets.intern(home_keys);
    attend(0, rank, sets.intern(std::move(first)), keys);
    attend(start_, rank, sets.intern(relaid), keys);
    attend(start_, rank, sets.intern(tokens), sets.intern(subtract(tokens, home_span)));
    attend(exit_, rank, sets.intern(std::move(second)), keys);
    return true;
  }

  // One attend for each rank and sequence (undeduplicated: query unit) with what arrived for it.
  void attend_stage(int32_t stage) {
    arrived_.resize(plan_.ranks);
    for (const Placed& p : stage_transfers(stage)) arrived_[p.transfer.to].push_back(p.transfer);
    for (int32_t rank = 0; rank < plan_.ranks; ++rank) {
      std::vector<Transfer>& list = arrived_[rank];
      const auto group = [](const Transfer& t) { return std::pair(t.query_unit, t.sequence); };
      std::sort(list.begin(), list.end(), [&](const Transfer& a, const Transfer& b) {
        return std::pair(group(a), a.tokens) < std::pair(group(b), b.tokens);
      });
      for (size_t i = 0; i < list.size();) {
        const Transfer& first = list[i];
        Ranges keys;
        size_t end = i;
        for (; end < list.size() && group(list[end]) == group(first); ++end) {
          const RangeSpan more = plan_.token_sets[list[end].tokens];
          keys.insert(keys.end(), more.begin(), more.end());
        }
        const SetId kv =
            end == i + 1 ? first.tokens : plan_.token_sets.intern(normalise(std::move(keys)));
        attend(start_ + stage + 1, rank, queries_of(rank, first), kv);
        i = end;
      }
      list.clear();
    }
  }

  // The rank's tokens of the sequence, or the unit that the transfer is for.
  SetId queries_of(int32_t rank, const Transfer& transfer) {
    if (transfer.query_unit >= 0) {
      return plan_.token_sets.intern(schedule_.units.units[transfer.query_unit].tokens);
    }
    const uint64_t key = (uint64_t(transfer.sequence) << 32) | uint32_t(rank);
    const auto [known, fresh] = queries_.try_emplace(key, RangeSets::kEmpty);
    if (fresh) {
      const Sequence& sequence = schedule_.units.sequences[transfer.sequence];
      Ranges tokens;
      for (int32_t u = sequence.first_unit; u < sequence.first_unit + sequence.units; ++u) {
        if (schedule_.rank_of[u] != rank) continue;
        const Ranges& unit = schedule_.units.units[u].tokens;
        tokens.insert(tokens.end(), unit.begin(), unit.end());
      }
      known->second = plan_.token_sets.intern(normalise(std::move(tokens)));
    }
    return known->second;
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

  void relay_out(Pass& pass, int32_t step, Tensor tensor) const {
    for (const Move& m : moves_) send(pass, step, 0, m.home, m.owner, tensor, m.tokens);
  }
  void relay_home(Pass& pass, int32_t step, Tensor tensor) const {
    for (const Move& m : moves_) send(pass, step, 0, m.owner, m.home, tensor, m.tokens);
  }

  void send_stage(Pass& pass, int32_t step, int32_t stage) {
    for_each_transfer(stage, [&](const Transfer& t, int32_t substage) {
      send(pass, step, substage, t.from, t.to, Tensor::kv, t.tokens);
    });
  }
  void return_stage(Pass& pass, int32_t step, int32_t stage) {
    for_each_transfer(stage, [&](const Transfer& t, int32_t substage) {
      // After the K,V of the same step, so that no sub-stage holds two matchings.
      send(pass, step, schedule_.substages_per_stage + substage, t.to, t.from, Tensor::dkv,
           t.tokens);
    });
  }

  template <typename Visit>
  void for_each_transfer(int32_t stage, Visit visit) const {
    std::unordered_set<uint64_t> sent;  // (to, tokens); only undeduplicated ones repeat
    for (const auto& [t, substage] : stage_transfers(stage)) {
      const bool repeats = t.query_unit >= 0;
      if (repeats && !sent.insert((uint64_t(t.to) << 32) | uint32_t(t.tokens)).second) continue;
      visit(t, substage);
    }
  }

  void send_forward() {
    Pass& pass = plan_.forward;
    pass.sends.reserve(sorted_.size() + 3 * moves_.size());
    relay_out(pass, 0, Tensor::q);
    relay_out(pass, 0, Tensor::kv);
    for (int32_t stage = 0; stage < schedule_.stages; ++stage) {
      send_stage(pass, start_ + stage, stage);
    }
    relay_home(pass, exit_, Tensor::o);
  }

  void send_backward() {
    Pass& pass = plan_.backward;
    pass.sends.reserve(2 * sorted_.size() + 3 * moves_.size());
    for (Tensor tensor : {Tensor::q, Tensor::kv}) {
      for (const Move& m : moves_) {
        plan_.keep.push_back({m.owner, tensor, m.tokens, {0, plan_.query_heads}});
      }
    }
    relay_out(pass, 0, Tensor::d_o);
    for (int32_t stage = 0; stage < schedule_.stages + 2; ++stage) {
      const int32_t step = start_ + stage;
      if (step == exit_) relay_home(pass, step, Tensor::dq);
      if (stage < schedule_.stages) send_stage(pass, step, stage);
      if (stage >= 2) return_stage(pass, step, stage - 2);
    }
    relay_home(pass, schedule_.stages > 0 ? exit_ + 1 : exit_, Tensor::dkv);
  }

  MaskIndex mask_;
  Schedule schedule_;
  Arm arm_;
  Plan plan_;
  std::vector<SetId> rank_ids_;
  std::vector<Move> moves_;
  int32_t start_ = 0;  // s of the header
  int32_t exit_ = 0;
  std::vector<Placed> sorted_;        // transfers by stage and sub-stage
  std::vector<int32_t> stage_begin_;  // in sorted_; stages + 1
  std::vector<std::vector<Transfer>> arrived_;
  std::unordered_map<uint64_t, SetId> queries_;  // of (sequence, rank)
};

}  // namespace

Plan write_plan(const Problem& problem, Schedule schedule, Arm arm) {
  return PlanWriter(problem, std::move(schedule), arm).run();
}

}  // namespace cpbench::fcp
