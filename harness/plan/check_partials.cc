// P5, P6: partial results (o, dq, dkv) are conserved. Each rank, tensor and head interval has a
// state: the tokens that the rank holds a partial of. A send takes away what was there before its
// step; an attend or an arrival adds to it; at the end only tokens of the home may be left. With P3
// this proves that the contribution of every (query, key) pair reaches its home exactly once.
//
// If the sets that a rank uses are pairwise disjoint, the state is a set of their ids. Otherwise
// each cluster of overlapping sets (set_clusters.h) is judged separately: a cluster of one set by
// its id, a cluster of several by their ranges.
#include <algorithm>
#include <map>
#include <set>
#include <unordered_set>
#include <utility>

#include "harness/plan/check_context.h"
#include "harness/plan/names.h"
#include "harness/plan/set_map.h"

namespace cpbench::checker {
namespace {

constexpr size_t kFewSets = 2;
constexpr int32_t kAbsent = 0;

struct Change {
  int32_t step = 0;
  SetId tokens = RangeSets::kEmpty;
  Heads heads;
  int32_t send = -1;  // index of the send; -1: an attend
};

// Number of tokens of `ranges` outside `home`. Its cost is about the number of ranges of the home.
int64_t size_outside(RangeSpan ranges, RangeSpan home) {
  return size_of(ranges) - size_of_intersection(ranges, home);
}

class PartialsChecker {
 public:
  // `fed[i]` is set if a sender other than the receiver had some of what send i reduces.
  // `since` is memory that all ranks use.
  PartialsChecker(Context& context, const SetFamily& family, PassKind kind, int32_t rank,
                  Tensor tensor, std::vector<bool>& fed, SetMap<int32_t>& since)
      : context_(context),
        family_(family),
        kind_(kind),
        pass_(context.pass(kind)),
        rank_(rank),
        tensor_(tensor),
        home_(context.plan.home[rank]),
        fed_(fed),
        since_(since) {}

  void collect(const RankOperations& operations) {
    for (int32_t i : operations.attends) {
      const Attend& a = pass_.attends[i];
      gains_.push_back({a.step, tensor_ == Tensor::dkv ? a.kv : a.q, unit(a.heads), -1});
    }
    for (int32_t i : operations.sends_in) {
      const Send& s = pass_.sends[i];
      if (s.tensor == tensor_ && s.tokens != RangeSets::kEmpty)
        gains_.push_back({s.step, s.tokens, unit(s.heads), i});
    }
    for (int32_t i : operations.sends_out) {
      const Send& s = pass_.sends[i];
      if (s.tensor == tensor_ && s.tokens != RangeSets::kEmpty)
        losses_.push_back({s.step, s.tokens, unit(s.heads), i});
    }
    auto by_step = [](const Change& a, const Change& b) { return a.step < b.step; };
    std::stable_sort(gains_.begin(), gains_.end(), by_step);
    std::stable_sort(losses_.begin(), losses_.end(), by_step);
  }

  void run(MemoryTally& tally, int32_t first_step) {
    if (gains_.empty() && losses_.empty()) return;
    HeadIntervals intervals(head_count(tensor_, context_.problem.shape));
    for (const auto* changes : {&gains_, &losses_}) {
      for (const Change& c : *changes) intervals.add(c.heads);
    }
    for (Heads heads : intervals.list()) {
      heads_ = heads;
      tally_ = &tally;
      first_step_ = first_step;
      bytes_ = stored_bytes_per_head(tensor_, context_.problem.shape) * heads_.size();
      std::vector<Change> gains = inside(gains_), losses = inside(losses_);
      for (const Change& g : gains) {  // an arrival takes memory until it is added
        if (g.send >= 0)
          occupy(g.step - pass_.lookahead, g.step, context_.plan.token_sets.size_of(g.tokens));
      }
      if (disjoint_names(gains, losses)) {
        run_on_names(gains, losses);
      } else {
        run_by_cluster(gains, losses);
      }
    }
  }

 private:
  Heads unit(Heads heads) const { return heads_of(tensor_, heads, context_.problem.shape); }

  std::vector<Change> inside(const std::vector<Change>& changes) const {
    std::vector<Change> out;
    for (const Change& c : changes) {
      if (c.heads.contains(heads_)) out.push_back(c);
    }
    return out;
  }

  bool is_reduction(const Change& loss) const {
    return context_.plan.rank_sets.size_of(pass_.sends[loss.send].from) > 1;
  }

  bool disjoint_names(const std::vector<Change>& gains, const std::vector<Change>& losses) {
    std::vector<SetId> names;
    for (const Change& c : gains) names.push_back(c.tokens);
    for (const Change& c : losses) names.push_back(c.tokens);
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    return family_.disjoint(std::move(names), RangeSets::kEmpty);
  }

  void run_on_names(const std::vector<Change>& gains, const std::vector<Change>& losses) {
    since_.clear();
    size_t g = 0, l = 0;
    while (g < gains.size() || l < losses.size()) {
      bool lose = l < losses.size() && (g == gains.size() || losses[l].step <= gains[g].step);
      if (lose) {
        const Change& loss = losses[l++];
        if (const int32_t since = std::exchange(since_[loss.tokens], kAbsent); since != kAbsent) {
          if (is_reduction(loss)) fed_[loss.send] = true;
          if (!at_home(loss.tokens))
            occupy(since - 1, loss.step, context_.plan.token_sets.size_of(loss.tokens));
        } else if (!is_reduction(loss)) {
          missing(loss, context_.tokens(loss.tokens));
        }
      } else {
        int32_t& since = since_[gains[g].tokens];
        if (since == kAbsent) since = gains[g].step + 1;
        ++g;
      }
    }
    std::vector<SetId> left;
    for (auto [tokens, since] : since_) {
      if (since != kAbsent && !at_home(tokens)) left.push_back(tokens);
    }
    std::sort(left.begin(), left.end());
    for (SetId tokens : left) stranded(context_.tokens(tokens));
  }

  void run_by_cluster(const std::vector<Change>& gains, const std::vector<Change>& losses) {
    struct Cluster {
      std::set<SetId> names;
      std::vector<Change> gains, losses;
    };
    std::map<int32_t, Cluster> clusters;
    for (const auto* changes : {&gains, &losses}) {
      for (const Change& c : *changes) {
        Cluster& cluster = clusters[context_.unions.clusters().of(c.tokens)];
        cluster.names.insert(c.tokens);
        (changes == &gains ? cluster.gains : cluster.losses).push_back(c);
      }
    }
    for (const auto& [number, cluster] : clusters) {
      if (cluster.names.size() == 1) {
        run_on_names(cluster.gains, cluster.losses);
      } else {
        run_on_ranges(cluster.gains, cluster.losses);
      }
    }
  }

  bool at_home(SetId tokens) const {
    return tokens == home_ || contains_all(context_.tokens(home_), context_.tokens(tokens));
  }

  void run_on_ranges(const std::vector<Change>& gains, const std::vector<Change>& losses) {
    RangeSpan home = context_.tokens(home_);
    Ranges present;
    int64_t away = 0;                // number of tokens of `present` outside the home
    std::unordered_set<SetId> held;  // added since the last loss; adding them again has no effect
    int32_t last_step = 0;
    size_t g = 0, l = 0;
    while (g < gains.size() || l < losses.size()) {
      context_.require_time();
      int32_t step = pass_.steps;
      if (g < gains.size()) step = std::min(step, gains[g].step);
      if (l < losses.size()) step = std::min(step, losses[l].step);
      occupy(last_step, step - 1, away);
      last_step = step + 1;
      size_t first_loss = l;
      while (l < losses.size() && losses[l].step == step) ++l;
      if (l > first_loss) held.clear();
      std::vector<SetId> added;
      for (; g < gains.size() && gains[g].step == step; ++g) {
        if (held.insert(gains[g].tokens).second) added.push_back(gains[g].tokens);
      }
      if (added.empty() && l == first_loss) {
        occupy(step, step, away);
        continue;
      }
      Ranges during = with(present, added);
      away = size_outside(during, home);
      occupy(step, step, away);
      if (l > first_loss) {
        during =
            with(without(std::move(present), {losses.data() + first_loss, l - first_loss}), added);
        away = size_outside(during, home);
      }
      present = std::move(during);
    }
    Ranges left = subtract(present, home);
    if (!left.empty()) stranded(left);
  }

  // `present` and the sets. Unions of many sets are those of other ranks, too, and are kept; those
  // of few would take more memory than time.
  Ranges with(Ranges present, const std::vector<SetId>& sets) {
    if (sets.size() > kFewSets) return unite(present, context_.unions.of(sets).united);
    for (SetId set : sets) present = unite(present, context_.tokens(set));
    return present;
  }

  // `present` without what the losses of one step take; each sees what the losses before it left.
  Ranges without(Ranges present, std::span<const Change> losses) {
    std::vector<SetId> names;
    for (const Change& loss : losses) names.push_back(loss.tokens);
    bool at_once = family_.disjoint(names, RangeSets::kEmpty);  // if so, all see the same
    int64_t taken = 0;  // tokens of those that are all there
    for (const Change& loss : losses) {
      RangeSpan tokens = context_.tokens(loss.tokens);
      if (is_reduction(loss)) {
        if (!fed_[loss.send]) fed_[loss.send] = overlap(present, tokens);
      } else {
        Ranges absent = subtract(tokens, present);
        if (!absent.empty()) missing(loss, absent);
        if (absent.empty()) taken += context_.plan.token_sets.size_of(loss.tokens);
      }
      if (!at_once) present = subtract(present, tokens);
    }
    if (!at_once) return present;
    // Usually what is left is what is at home, which sizes tell.
    Ranges left = intersect(present, context_.tokens(home_));
    const bool all_left = size_of(left) + taken == size_of(present);
    if (all_left && family_.disjoint(names, home_)) return left;
    return family_.subtract_union(present, std::move(names));
  }

  void occupy(int32_t from, int32_t to, int64_t tokens) {
    if (from <= to && tokens > 0)
      tally_->add(first_step_ + std::max(from, 0), first_step_ + to, tokens * bytes_);
  }

  void missing(const Change& loss, RangeSpan tokens) {
    context_.violation(
        "P5",
        place(kind_, loss.step, rank_) + " send " + name_of(tensor_) + " " + heads_text(heads_),
        "partials there before the step", "none of " + set_text(tokens));
  }
  void stranded(RangeSpan tokens) {
    context_.violation(
        "P6", place(kind_, pass_.steps, rank_) + " " + name_of(tensor_) + " " + heads_text(heads_),
        "every partial at its home at the end", set_text(tokens) + " left here");
  }

  Context& context_;
  const SetFamily& family_;
  PassKind kind_;
  const Pass& pass_;
  int32_t rank_;
  Tensor tensor_;
  SetId home_;
  std::vector<bool>& fed_;
  SetMap<int32_t>& since_;  // of present sets, one more than the step that made them; or kAbsent
  std::vector<Change> gains_;
  std::vector<Change> losses_;
  Heads heads_;
  MemoryTally* tally_ = nullptr;
  int32_t first_step_ = 0;
  int64_t bytes_ = 0;
};

// A reduction must move something: a sender other than the receiver must have held some of its
// tokens. One such block is enough for a collective, because a rank may own tokens that no other
// rank attends.
void check_fed(Context& context, PassKind kind, Tensor tensor, const std::vector<bool>& fed) {
  const Pass& pass = context.pass(kind);
  std::vector<bool> collective_fed(pass.collectives.size(), false);
  for (size_t i = 0; i < pass.sends.size(); ++i) {
    if (fed[i] && pass.sends[i].collective >= 0) collective_fed[pass.sends[i].collective] = true;
  }
  for (size_t i = 0; i < pass.sends.size(); ++i) {
    const Send& s = pass.sends[i];
    bool reduction = context.plan.rank_sets.size_of(s.from) > 1;
    if (s.tensor != tensor || !reduction || s.tokens == RangeSets::kEmpty) continue;
    if (s.collective >= 0 ? collective_fed[s.collective] : fed[i]) continue;
    int32_t to = static_cast<int32_t>(context.plan.rank_sets[s.to].front().begin);
    context.violation("P5", place(kind, s.step, to) + " reduction of " + name_of(tensor),
                      "partials on a sender other than the receiver before the step",
                      "none of " + set_text(context.tokens(s.tokens)));
  }
}

}  // namespace

void check_partials(Context& context, PassKind kind, const std::vector<RankOperations>& operations,
                    std::vector<MemoryTally>& tallies) {
  const Pass& pass = context.pass(kind);
  int32_t first_step = kind == PassKind::forward ? 0 : context.plan.forward.steps;
  std::vector<Tensor> tensors = {Tensor::o};
  if (kind == PassKind::backward) tensors = {Tensor::dq, Tensor::dkv};
  for (Tensor tensor : tensors) {
    SetFamily family(context.plan.token_sets, context.unions, sent_sets(pass, tensor));
    std::vector<bool> fed(pass.sends.size(), false);
    SetMap<int32_t> since(context.plan.token_sets.count());
    for (int32_t rank = 0; rank < context.plan.ranks; ++rank) {
      PartialsChecker checker(context, family, kind, rank, tensor, fed, since);
      checker.collect(operations[rank]);
      checker.run(tallies[rank], first_step);
    }
    check_fed(context, kind, tensor, fed);
  }
}

}  // namespace cpbench::checker
