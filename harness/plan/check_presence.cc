// P4, P7, P8: copies of q, kv and do are where they are read, arrive where they were not yet, and
// are read. This is checked per rank, tensor and head interval. The names of sets decide where they
// can.
#include <algorithm>
#include <limits>
#include <ranges>
#include <span>
#include <unordered_map>
#include <utility>

#include "harness/plan/check_context.h"
#include "harness/plan/interval_set.h"
#include "harness/plan/names.h"
#include "harness/plan/set_index.h"
#include "harness/plan/set_map.h"

namespace cpbench::checker {
namespace {

constexpr int32_t kAtStart = -1;
constexpr int32_t kAtEnd = std::numeric_limits<int32_t>::max();
constexpr size_t kMostRemembered = 64;  // sets in a list of Context::found_in

struct Arrival {
  int32_t step = kAtStart;  // kAtStart if it was kept from the forward pass
  SetId tokens = RangeSets::kEmpty;
  Heads heads;
  bool collective = false;
  int32_t last_read = kAtStart;
};

struct Read {
  int32_t step = 0;  // kAtEnd if it is kept for the backward pass
  SetId tokens = RangeSets::kEmpty;
  Heads heads;
  const char* reader = "";  // "attend", "send", "keep"
};

// For a set that is read from several arrivals: how many arrivals there were at the time, which of
// them hold some of it, and until when it is read from these.
struct Pieced {
  size_t held = 0;
  std::vector<Arrival*> from;
  int32_t last_read = kAtStart;
  bool present = false;  // all of it was there
};

// Memory that the checks of all ranks use, one after another.
struct Scratch {
  explicit Scratch(int32_t sets) : by_name(sets), last_read(sets) {}
  struct Arrivals {  // of one set: positions in PresenceChecker::named_
    size_t first = 0;
    size_t count = 0;
  };
  SetMap<Arrivals> by_name;
  SetMap<int32_t> last_read;
};

class PresenceChecker {
 public:
  PresenceChecker(Context& context, const SetFamily& family, SetIndex& index, Scratch& scratch,
                  PassKind kind, int32_t rank, Tensor tensor)
      : context_(context),
        family_(family),
        index_(index),
        by_name_(scratch.by_name),
        last_read_(scratch.last_read),
        kind_(kind),
        pass_(context.pass(kind)),
        rank_(rank),
        tensor_(tensor),
        home_(context.plan.home[rank]) {}

  void collect(const RankOperations& operations, const std::vector<const Keep*>& kept) {
    bool forward = kind_ == PassKind::forward;
    for (const Keep* k : kept) {
      if (k->tensor != tensor_) continue;
      if (forward) {
        reads_.push_back({kAtEnd, k->tokens, unit(k->heads), "keep"});
      } else {
        arrivals_.push_back({kAtStart, k->tokens, unit(k->heads)});
      }
    }
    for (int32_t i : operations.sends_in) {
      const Send& s = pass_.sends[i];
      if (s.tensor == tensor_)
        arrivals_.push_back({s.step, s.tokens, unit(s.heads), s.collective >= 0});
    }
    std::erase_if(arrivals_, [](const Arrival& a) { return a.tokens == RangeSets::kEmpty; });
    for (int32_t i : operations.attends) {
      const Attend& a = pass_.attends[i];
      SetId tokens = tensor_ == Tensor::kv ? a.kv : a.q;
      bool reads = tensor_ != Tensor::d_o || !forward;
      if (reads) reads_.push_back({a.step, tokens, unit(a.heads), "attend"});
    }
    for (int32_t i : operations.sends_out) {
      const Send& s = pass_.sends[i];
      if (s.tensor == tensor_ && s.tokens != RangeSets::kEmpty) {
        reads_.push_back({s.step, s.tokens, unit(s.heads), "send"});
      }
    }
  }

  void run(MemoryTally& tally, int32_t first_step) {
    HeadIntervals intervals(head_count(tensor_, context_.problem.shape));
    for (const Arrival& a : arrivals_) intervals.add(a.heads);
    for (const Read& r : reads_) intervals.add(r.heads);
    for (Heads heads : intervals.list()) run_interval(heads, tally, first_step);
  }

 private:
  Heads unit(Heads heads) const { return heads_of(tensor_, heads, context_.problem.shape); }

  template <typename Item>
  static std::vector<Item> inside(const std::vector<Item>& items, Heads heads) {
    std::vector<Item> out;
    for (const Item& item : items) {
      if (item.heads.contains(heads)) out.push_back(item);
    }
    return out;
  }

  void run_interval(Heads heads, MemoryTally& tally, int32_t first_step) {
    heads_ = heads;
    now_ = inside(arrivals_, heads);
    std::vector<Read> reads = inside(reads_, heads);
    sort_by_name();
    pieced_.clear();
    last_pieced_ = kAtStart;
    scattered_ = std::ranges::any_of(now_, [](const Arrival& a) { return !a.collective; });
    for (const Read& read : reads) judge_read(read);
    keep_pieces();
    judge_arrivals(reads);

    int64_t bytes = stored_bytes_per_head(tensor_, context_.problem.shape) * heads.size();
    for (const Arrival& a : now_) {
      int32_t from = a.step == kAtStart ? 0 : std::max(0, a.step - pass_.lookahead);
      int32_t to = std::min(std::max(a.last_read, a.step), pass_.steps - 1);
      tally.add(first_step + from, first_step + to,
                bytes * context_.plan.token_sets.size_of(a.tokens));
    }
  }

  void sort_by_name() {
    by_name_.clear();
    for (const Arrival& a : now_) ++by_name_[a.tokens].count;
    size_t next = 0;
    for (auto& [set, arrivals] : by_name_) {
      arrivals.first = next;
      next += std::exchange(arrivals.count, 0);
    }
    named_.resize(now_.size());
    for (size_t i = 0; i < now_.size(); ++i) {
      Scratch::Arrivals& arrivals = by_name_[now_[i].tokens];
      named_[arrivals.first + arrivals.count++] = i;
    }
  }

  // The latest of `named` before the step, or nullptr.
  Arrival* latest_before(int32_t step, const Scratch::Arrivals& named) {
    const std::span arrivals(named_.data() + named.first, named.count);
    auto after = std::partition_point(arrivals.begin(), arrivals.end(),
                                      [&](size_t i) { return now_[i].step < step; });
    return after == arrivals.begin() ? nullptr : &now_[*std::prev(after)];
  }

  void judge_read(const Read& read) {
    context_.require_time();
    if (read.tokens == home_) return;
    if (const auto* named = by_name_.find(read.tokens)) {
      if (Arrival* latest = latest_before(read.step, *named)) {
        latest->last_read = std::max(latest->last_read, read.step);
        return;
      }
    }
    // What is at home never arrives (P7), so this read keeps no arrival in memory.
    if (contains_all(context_.tokens(home_), context_.tokens(read.tokens))) return;
    auto end = std::partition_point(now_.begin(), now_.end(),
                                    [&](const Arrival& a) { return a.step < read.step; });
    const auto count = static_cast<size_t>(end - now_.begin());
    last_pieced_ = std::max(last_pieced_, read.step);
    Pieced& pieced = pieced_[read.tokens];
    // If the set was read before and nothing has arrived since, it comes from the same arrivals.
    const bool same = pieced.present && pieced.held == count;
    if (!same) {
      keep(pieced);
      pieced = {count, sources_of(read)};
    }
    pieced.last_read = std::max(pieced.last_read, read.step);
    if (!same) pieced.present = judge_pieces(read, pieced.from);
  }

  // The arrivals that hold some of what is read, each set's latest. None if all are collective:
  // these are treated alike, whatever is read of them.
  std::vector<Arrival*> sources_of(const Read& read) {
    std::vector<Arrival*> from;
    if (!scattered_) return from;
    const auto add = [&](const Scratch::Arrivals& named) {
      if (Arrival* latest = latest_before(read.step, named)) from.push_back(latest);
    };
    RangeSpan tokens = context_.tokens(read.tokens);
    if (auto sets = index_.overlapping(tokens, by_name_.size())) {
      for (SetId set : *sets) {
        if (const auto* named = by_name_.find(set)) add(*named);
      }
      return from;
    }
    const SetClusters& clusters = context_.unions.clusters();
    for (const auto& [set, named] : by_name_) {
      const bool may = clusters.of(set) == clusters.of(read.tokens);
      if (may && overlap(context_.tokens(set), tokens)) add(named);
    }
    return from;
  }

  // Whether everything that is read is at home or in the arrivals `from`.
  bool judge_pieces(const Read& read, const std::vector<Arrival*>& from) {
    std::vector<SetId> held;
    for (const Arrival* a : from) held.push_back(a->tokens);
    // Most of a family is cheaper to unite than a part of it (set_family.h).
    if (!scattered_ || 2 * held.size() >= by_name_.size()) {
      held.clear();
      for (const auto& [set, named] : by_name_) {
        if (latest_before(read.step, named) != nullptr) held.push_back(set);
      }
    }
    std::vector<SetId> lookup = lookup_of(read.tokens, held);
    if (!lookup.empty() && context_.found_in.contains(lookup)) return true;
    Ranges missing = subtract(context_.tokens(read.tokens), context_.tokens(home_));
    missing = family_.subtract_union(missing, std::move(held));
    if (!missing.empty()) {
      violation(read.step == kAtEnd ? "P8" : "P4", read, "all of it there before the step",
                set_text(missing) + " is not");
      return false;
    }
    if (!lookup.empty()) context_.found_in.insert(std::move(lookup));
    return true;
  }

  // Arrivals stay in memory until the sets that were found in several of them are read no more.
  void keep_pieces() {
    for (const auto& [tokens, pieced] : pieced_) keep(pieced);
    // A collective arrives in one buffer, which stays as long as any part of it is read.
    for (Arrival& a : now_) {
      if (a.collective && a.step < last_pieced_) a.last_read = std::max(a.last_read, last_pieced_);
    }
  }
  static void keep(const Pieced& pieced) {
    for (Arrival* a : pieced.from) a->last_read = std::max(a->last_read, pieced.last_read);
  }

  // The entry of Context::found_in that says that `tokens` are in `held` and at home. Empty for a
  // long list, which other ranks are unlikely to share.
  std::vector<SetId> lookup_of(SetId tokens, const std::vector<SetId>& held) const {
    if (held.size() > kMostRemembered) return {};
    std::vector<SetId> lookup = {tokens, home_};
    lookup.insert(lookup.end(), held.begin(), held.end());
    std::sort(lookup.begin() + 1, lookup.end());
    lookup.erase(std::unique(lookup.begin() + 1, lookup.end()), lookup.end());
    return lookup;
  }

  void violation(const char* rule, const Read& read, const std::string& expected,
                 const std::string& found) {
    int32_t step = read.step == kAtEnd ? pass_.steps : read.step;
    context_.violation(rule,
                       place(kind_, step, rank_) + " " + read.reader + " " + name_of(tensor_) +
                           " " + heads_text(heads_),
                       expected, found);
  }

  void judge_arrivals(const std::vector<Read>& reads) {
    if (now_.empty()) return;
    std::vector<SetId> list;
    for (const Arrival& a : now_) list.push_back(a.tokens);
    // Whether nothing arrives twice in the whole pass, decided by names.
    const bool fresh = family_.disjoint(std::move(list), home_);
    if (!fresh) judge_fresh(reads);
    judge_use(reads, fresh);
  }

  // Nothing arrives at its home, or where it came before and was not read since.
  void judge_fresh(const std::vector<Read>& reads) {
    const SetClusters& clusters = context_.unions.clusters();
    std::unordered_map<int32_t, int32_t> in_cluster = {{clusters.of(home_), 1}};
    for (const Arrival& a : now_) ++in_cluster[clusters.of(a.tokens)];
    const auto may_repeat = [&](SetId tokens) {
      auto found = in_cluster.find(clusters.of(tokens));
      return found != in_cluster.end() && found->second > 1;
    };
    std::vector<const Read*> by_step;
    for (const Read& r : reads) {
      if (r.tokens != home_ && may_repeat(r.tokens)) by_step.push_back(&r);
    }
    std::ranges::stable_sort(by_step, {}, &Read::step);
    auto read = by_step.begin();
    IntervalSet unread;                                // what has come and was not read since
    std::unordered_map<SetId, size_t> arrived_before;  // the latest read of each set
    for (size_t i = 0; i < now_.size(); ++i) {
      const Arrival& a = now_[i];
      if (!may_repeat(a.tokens)) continue;
      for (; read != by_step.end() && (*read)->step <= a.step; ++read) {
        size_t& before = arrived_before[(*read)->tokens];
        if (before != i) unread.erase(context_.tokens((*read)->tokens));
        before = i;
      }
      RangeSpan tokens = context_.tokens(a.tokens);
      const Ranges twice = subtract(tokens, unread.insert(tokens));
      if (Ranges here = intersect(tokens, context_.tokens(home_)); !here.empty()) {
        arrival_violation(a, "tokens of another rank", set_text(here) + " is home here");
      } else if (!twice.empty()) {
        size_t earlier = i - 1;
        while (!overlap(context_.tokens(now_[earlier].tokens), twice)) --earlier;
        arrival_violation(a, "not there already",
                          set_text(twice) + " came at step " + std::to_string(now_[earlier].step) +
                              " and was not read");
      }
    }
  }

  // What arrives by itself is read in a later step. `fresh`: nothing arrives twice.
  void judge_use(const std::vector<Read>& reads, bool fresh) {
    last_read_.clear();
    for (const Read& r : reads) last_read_[r.tokens] = std::max(last_read_[r.tokens], r.step);
    std::vector<const Arrival*> undecided;  // those that names do not decide
    for (const Arrival& a : now_) {
      if (a.collective || a.step == kAtStart) continue;
      const int32_t* named = last_read_.find(a.tokens);
      if (named == nullptr || *named <= a.step) undecided.push_back(&a);
    }
    if (undecided.empty()) return;
    // From the last step backwards, so that the set of what is read later only grows.
    std::vector<std::pair<int32_t, SetId>> by_last_read;
    for (auto [tokens, step] : last_read_) {
      // A set that arrives by its name has nothing in common with the others if all is fresh.
      const bool other = fresh && by_name_.find(tokens) != nullptr;
      if (tokens != home_ && !other) by_last_read.emplace_back(step, tokens);
    }
    std::sort(by_last_read.rbegin(), by_last_read.rend());
    IntervalSet later;
    auto next = by_last_read.begin();
    for (const Arrival* a : undecided | std::views::reverse) {
      for (; next != by_last_read.end() && next->first > a->step; ++next) {
        later.insert(context_.tokens(next->second));
      }
      Ranges idle = later.missing(context_.tokens(a->tokens));
      if (!idle.empty()) arrival_violation(*a, "read later", set_text(idle) + " is not");
    }
  }

  void arrival_violation(const Arrival& a, const std::string& expected, const std::string& found) {
    bool kept = a.step == kAtStart;
    context_.violation(kept ? "P8" : "P7",
                       place(kind_, std::max(a.step, 0), rank_) + (kept ? " kept " : " arrival ") +
                           name_of(tensor_) + " " + heads_text(heads_),
                       expected, found);
  }

  Context& context_;
  const SetFamily& family_;
  SetIndex& index_;
  SetMap<Scratch::Arrivals>& by_name_;
  SetMap<int32_t>& last_read_;  // of what is read, by name
  PassKind kind_;
  const Pass& pass_;
  int32_t rank_;
  Tensor tensor_;
  SetId home_;
  std::vector<Arrival> arrivals_;
  std::vector<Read> reads_;

  // Of the current head interval:
  Heads heads_;
  std::vector<Arrival> now_;                  // the arrivals, by step
  std::vector<size_t> named_;                 // indices into now_, by name and then by step
  std::unordered_map<SetId, Pieced> pieced_;  // by the set that is read
  int32_t last_pieced_ = kAtStart;            // the latest step of such a read
  bool scattered_ = false;                    // some arrival is not collective
};

// The sets of `tensor` that travel in this pass or were kept for it.
std::vector<SetId> travelling(const Context& context, PassKind kind, Tensor tensor) {
  std::vector<SetId> sets = sent_sets(context.pass(kind), tensor);
  if (kind == PassKind::backward) {
    for (const Keep& k : context.plan.keep) {
      if (k.tensor == tensor) sets.push_back(k.tokens);
    }
  }
  return sets;
}

}  // namespace

void check_presence(Context& context, PassKind kind, Passes passes,
                    const std::vector<RankOperations>& operations,
                    std::vector<MemoryTally>& tallies) {
  std::vector<std::vector<const Keep*>> kept(context.plan.ranks);
  if (passes == Passes::both) {
    for (const Keep& k : context.plan.keep) kept[k.rank].push_back(&k);
  }
  int32_t first_step = kind == PassKind::forward ? 0 : context.plan.forward.steps;
  Scratch scratch(context.plan.token_sets.count());
  for (Tensor tensor : {Tensor::q, Tensor::kv, Tensor::d_o}) {
    const std::vector<SetId> sets = travelling(context, kind, tensor);
    SetFamily family(context.plan.token_sets, context.unions, sets);
    SetIndex index(context.plan.token_sets, sets);
    for (int32_t rank = 0; rank < context.plan.ranks; ++rank) {
      PresenceChecker checker(context, family, index, scratch, kind, rank, tensor);
      checker.collect(operations[rank], kept[rank]);
      checker.run(tallies[rank], first_step);
    }
  }
}

}  // namespace cpbench::checker
