// P4, P7, P8: copies of q, kv and do are where they are read, arrive where they were not yet, and
// are read. This is checked per rank, tensor and head interval. The names of sets decide where they
// can.
#include <algorithm>
#include <limits>
#include <unordered_map>

#include "harness/plan/check_context.h"
#include "harness/plan/names.h"

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
  Range hull = {};  // from the first token to the last one
};

Range hull_of(RangeSpan tokens) {
  return tokens.empty() ? Range{} : Range{tokens.front().begin, tokens.back().end};
}

struct Read {
  int32_t step = 0;  // kAtEnd if it is kept for the backward pass
  SetId tokens = RangeSets::kEmpty;
  Heads heads;
  const char* reader = "";  // "attend", "send", "keep"
};

class PresenceChecker {
 public:
  PresenceChecker(Context& context, const SetFamily& family, PassKind kind, int32_t rank,
                  Tensor tensor)
      : context_(context),
        family_(family),
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
    for (Arrival& a : arrivals_) a.hull = hull_of(context_.tokens(a.tokens));
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
    std::vector<Arrival> arrivals = inside(arrivals_, heads);
    std::vector<Read> reads = inside(reads_, heads);
    std::unordered_map<SetId, std::vector<size_t>> by_name;
    for (size_t i = 0; i < arrivals.size(); ++i) by_name[arrivals[i].tokens].push_back(i);
    pieced_.clear();
    for (const Read& read : reads) judge_read(read, arrivals, by_name);
    judge_arrivals(arrivals, reads);

    int64_t bytes = stored_bytes_per_head(tensor_, context_.problem.shape) * heads.size();
    for (const Arrival& a : arrivals) {
      int32_t from = a.step == kAtStart ? 0 : std::max(0, a.step - pass_.lookahead);
      int32_t to = std::min(std::max(a.last_read, a.step), pass_.steps - 1);
      tally.add(first_step + from, first_step + to,
                bytes * context_.plan.token_sets.size_of(a.tokens));
    }
  }

  void judge_read(const Read& read, std::vector<Arrival>& arrivals,
                  const std::unordered_map<SetId, std::vector<size_t>>& by_name) {
    context_.require_time();
    bool keeps = read.step == kAtEnd;
    if (read.tokens == home_) return;
    auto named = by_name.find(read.tokens);
    if (named != by_name.end()) {
      Arrival* latest = nullptr;
      for (size_t i : named->second) {
        Arrival& a = arrivals[i];
        if (a.step < read.step && (latest == nullptr || a.step > latest->step)) latest = &a;
      }
      if (latest != nullptr) {
        latest->last_read = std::max(latest->last_read, read.step);
        return;
      }
    }
    // What is at home never arrives (P7), so this read keeps no arrival in memory.
    if (contains_all(context_.tokens(home_), context_.tokens(read.tokens))) return;
    const Range hull = hull_of(context_.tokens(read.tokens));
    const auto is_held = [&](const Arrival& a) { return a.step < read.step; };
    const auto count = static_cast<size_t>(std::ranges::count_if(arrivals, is_held));
    // The set was read before and nothing has arrived since, so it comes from the same arrivals.
    auto before = pieced_.find(read.tokens);
    if (before != pieced_.end() && before->second.held == count) {
      for (size_t i : before->second.from) {
        arrivals[i].last_read = std::max(arrivals[i].last_read, read.step);
      }
      return;
    }
    Pieced pieced{count, {}};
    std::vector<SetId> held;
    for (size_t i = 0; i < arrivals.size(); ++i) {
      Arrival& a = arrivals[i];
      if (!is_held(a)) continue;
      // A collective arrives in one buffer, which stays as long as any part of it is read.
      if (a.collective || (a.hull.begin < hull.end && hull.begin < a.hull.end &&
                           overlap(context_.tokens(a.tokens), context_.tokens(read.tokens)))) {
        held.push_back(a.tokens);
        a.last_read = std::max(a.last_read, read.step);
        pieced.from.push_back(i);
      }
    }
    // Most of a family is cheaper to unite than a part of it (set_family.h).
    if (2 * held.size() >= count) {
      held.clear();
      for (const Arrival& a : arrivals) {
        if (is_held(a)) held.push_back(a.tokens);
      }
    }
    std::vector<SetId> lookup = lookup_of(read.tokens, held);
    if (!lookup.empty() && context_.found_in.contains(lookup)) {
      pieced_[read.tokens] = std::move(pieced);
      return;
    }
    Ranges missing = subtract(context_.tokens(read.tokens), context_.tokens(home_));
    missing = family_.subtract_union(missing, std::move(held));
    if (!missing.empty()) {
      violation(keeps ? "P8" : "P4", read, "all of it there before the step",
                set_text(missing) + " is not");
      return;
    }
    pieced_[read.tokens] = std::move(pieced);
    if (!lookup.empty()) context_.found_in.insert(std::move(lookup));
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

  void judge_arrivals(const std::vector<Arrival>& arrivals, const std::vector<Read>& reads) {
    if (arrivals.empty()) return;
    if (!surely_fresh(arrivals)) {
      for (const Arrival& a : arrivals) {
        judge_fresh(a, arrivals, reads);
      }
    }
    std::unordered_map<SetId, int32_t> last_read;  // by name
    for (const Read& r : reads) {
      auto [it, fresh] = last_read.emplace(r.tokens, r.step);
      if (!fresh) it->second = std::max(it->second, r.step);
    }
    std::vector<const Arrival*> undecided;  // those that names do not decide
    for (const Arrival& a : arrivals) {
      if (a.collective || a.step == kAtStart) continue;
      auto named = last_read.find(a.tokens);
      if (named == last_read.end() || named->second <= a.step) undecided.push_back(&a);
    }
    if (undecided.empty()) return;
    // From the last step backwards, so that the set of what is read later only grows.
    std::stable_sort(undecided.begin(), undecided.end(),
                     [](const Arrival* a, const Arrival* b) { return a->step > b->step; });
    std::vector<std::pair<int32_t, SetId>> by_last_read;
    for (auto [tokens, step] : last_read) by_last_read.emplace_back(step, tokens);
    std::sort(by_last_read.rbegin(), by_last_read.rend());
    Ranges later;
    size_t united = 0;
    for (const Arrival* a : undecided) {
      std::vector<SetId> more;
      for (; united < by_last_read.size() && by_last_read[united].first > a->step; ++united) {
        more.push_back(by_last_read[united].second);
      }
      if (!more.empty()) later = unite(later, context_.unions.of(std::move(more)).united);
      Ranges idle = subtract(context_.tokens(a->tokens), later);
      if (!idle.empty()) arrival_violation(*a, "read later", set_text(idle) + " is not");
    }
  }

  // Whether nothing arrives twice in the whole pass, decided by names.
  bool surely_fresh(const std::vector<Arrival>& arrivals) {
    std::vector<SetId> list;
    for (const Arrival& a : arrivals) list.push_back(a.tokens);
    return family_.disjoint(std::move(list), home_);
  }

  void judge_fresh(const Arrival& a, const std::vector<Arrival>& arrivals,
                   const std::vector<Read>& reads) {
    Ranges there = intersect(context_.tokens(a.tokens), context_.tokens(home_));
    if (!there.empty()) {
      arrival_violation(a, "tokens of another rank", set_text(there) + " is home here");
      return;
    }
    for (const Arrival& earlier : arrivals) {
      bool before = earlier.step < a.step || (earlier.step == a.step && &earlier < &a);
      if (!before) continue;
      Ranges twice = intersect(context_.tokens(earlier.tokens), context_.tokens(a.tokens));
      if (twice.empty()) continue;
      Ranges unread = subtract(twice, reads_between(reads, earlier.step, a.step));
      if (unread.empty()) continue;
      arrival_violation(
          a, "not there already",
          set_text(unread) + " came at step " + std::to_string(earlier.step) + " and was not read");
      return;
    }
  }

  // Everything that is read in the steps (after, until].
  RangeSpan reads_between(const std::vector<Read>& reads, int32_t after, int32_t until) {
    std::vector<SetId> list;
    for (const Read& r : reads) {
      if (after < r.step && r.step <= until) list.push_back(r.tokens);
    }
    std::sort(list.begin(), list.end());
    list.erase(std::unique(list.begin(), list.end()), list.end());
    return context_.unions.of(std::move(list)).united;
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
  PassKind kind_;
  const Pass& pass_;
  int32_t rank_;
  Tensor tensor_;
  SetId home_;
  Heads heads_;
  std::vector<Arrival> arrivals_;
  std::vector<Read> reads_;
  // For a set that was found in several arrivals: how many arrivals there were at the time, and
  // which of them it was found in.
  struct Pieced {
    size_t held = 0;
    std::vector<size_t> from;
  };
  std::unordered_map<SetId, Pieced> pieced_;
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
  for (Tensor tensor : {Tensor::q, Tensor::kv, Tensor::d_o}) {
    SetFamily family(context.plan.token_sets, context.unions, travelling(context, kind, tensor));
    for (int32_t rank = 0; rank < context.plan.ranks; ++rank) {
      PresenceChecker checker(context, family, kind, rank, tensor);
      checker.collect(operations[rank], kept[rank]);
      checker.run(tallies[rank], first_step);
    }
  }
}

}  // namespace cpbench::checker
