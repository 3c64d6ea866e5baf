// P1, P2, P9: what must hold before anything else of a plan can be read safely.
#include <map>
#include <set>
#include <tuple>

#include "harness/plan/check_context.h"
#include "harness/plan/limits.h"
#include "harness/plan/names.h"

namespace cpbench::checker {
namespace {

class StructureChecker {
 public:
  StructureChecker(Context& context, Passes passes)
      : context_(context), plan_(context.plan), passes_(passes) {}

  bool run() {
    if (!check_frame()) return false;
    check_sets(plan_.token_sets, plan_.tokens, "token set");
    check_sets(plan_.rank_sets, plan_.ranks, "rank set");
    if (context_.violations.empty()) check_home();
    check_pass(PassKind::forward);
    if (passes_ == Passes::both) {
      check_pass(PassKind::backward);
      check_keep();
    }
    return context_.violations.empty();
  }

 private:
  void bad(const std::string& where, const std::string& expected, const std::string& found) {
    context_.violation("P1", where, expected, found);
  }

  bool check_frame() {
    const Problem& problem = context_.problem;
    auto same = [&](const char* what, int64_t found, int64_t expected) {
      if (found != expected) {
        bad(std::string("plan ") + what, std::to_string(expected) + " as in the problem",
            std::to_string(found));
      }
    };
    same("ranks", plan_.ranks, problem.ranks());
    same("tokens", plan_.tokens, problem.tokens());
    same("query heads", plan_.query_heads, problem.shape.query_heads);
    same("home sets", static_cast<int64_t>(plan_.home.size()), problem.ranks());
    return context_.violations.empty();
  }

  void check_sets(const RangeSets& sets, int64_t end, const std::string& what) {
    for (SetId id = 0; id < sets.count(); ++id) {
      RangeSpan ranges = sets[id];
      std::string where = what + " " + std::to_string(id);
      if (!is_normal(ranges)) {
        bad(where, "sorted, disjoint, joined, non-empty ranges", set_text(ranges));
      } else if (!ranges.empty() && (ranges.front().begin < 0 || ranges.back().end > end)) {
        bad(where, "inside [0, " + std::to_string(end) + ")", set_text(ranges));
      }
    }
  }

  void check_home() {
    std::vector<SetId> list;
    for (size_t rank = 0; rank < plan_.home.size(); ++rank) {
      if (!plan_.token_sets.valid(plan_.home[rank])) {
        bad("home of rank " + std::to_string(rank), "a token set",
            std::to_string(plan_.home[rank]));
        return;
      }
      list.push_back(plan_.home[rank]);
    }
    const SetUnions::Union& all = context_.unions.of(list);
    if (!all.disjoint()) {
      context_.violation("P2", "home", "every token on one rank",
                         set_text(all.doubled) + " on several");
    }
    Range whole{0, plan_.tokens};
    Ranges missing = subtract(RangeSpan(&whole, 1), all.united);
    if (!missing.empty()) {
      context_.violation("P2", "home", "every token on one rank", set_text(missing) + " on none");
    }
  }

  bool good_heads(Heads heads) const {
    return 0 <= heads.begin && heads.begin < heads.end && heads.end <= plan_.query_heads;
  }

  bool good_tokens(SetId id, bool may_be_empty = false) const {
    return plan_.token_sets.valid(id) && (may_be_empty || id != RangeSets::kEmpty);
  }

  void check_pass(PassKind kind) {
    const Pass& pass = context_.pass(kind);
    const char* name = kind == PassKind::forward ? "forward" : "backward";
    if (pass.lookahead < 0) bad(name, "a lookahead of 0 or more", std::to_string(pass.lookahead));
    const int64_t operations = std::ssize(pass.attends) + std::ssize(pass.sends);
    if (pass.steps > operations + kMaxIdleSteps) {
      bad(name,
          "at most " + std::to_string(kMaxIdleSteps) + " steps more than its " +
              std::to_string(operations) + " operations",
          std::to_string(pass.steps) + " steps");
    }
    int32_t last = 0;
    for (const Attend& a : pass.attends) {
      const auto where = [&] { return place(kind, a.step, a.rank) + " attend"; };
      if (a.step < last || a.step >= pass.steps) {
        bad(where(), "steps in order below " + std::to_string(pass.steps), std::to_string(a.step));
      }
      last = a.step;
      if (a.rank < 0 || a.rank >= plan_.ranks)
        bad(where(), "a rank below " + std::to_string(plan_.ranks), std::to_string(a.rank));
      if (!good_tokens(a.q)) bad(where(), "a non-empty token set q", std::to_string(a.q));
      if (!good_tokens(a.kv)) bad(where(), "a non-empty token set kv", std::to_string(a.kv));
      if (!good_heads(a.heads))
        bad(where(), "query heads below " + std::to_string(plan_.query_heads), heads_text(a.heads));
    }
    std::pair<int32_t, int32_t> last_stage{0, 0};
    for (size_t i = 0; i < pass.sends.size(); ++i) {
      const Send& s = pass.sends[i];
      const auto where = [&] {
        return std::string(name) + " step " + std::to_string(s.step) + " send " + std::to_string(i);
      };
      std::pair stage{s.step, s.substage};
      if (stage < last_stage || s.step >= pass.steps || s.substage < 0) {
        bad(where(), "steps and sub-stages in order below step " + std::to_string(pass.steps),
            std::to_string(s.step) + "." + std::to_string(s.substage));
      }
      last_stage = stage;
      check_send(kind, pass, s, where);
    }
    if (context_.violations.empty()) check_collectives(kind, pass);
  }

  // `where` says where the send is, and is called only for a violation.
  template <typename Where>
  void check_send(PassKind kind, const Pass& pass, const Send& s, const Where& where) {
    bool tagged = s.collective >= 0;
    if (!good_tokens(s.tokens, tagged))
      bad(where(), "a non-empty token set", std::to_string(s.tokens));
    if (!good_heads(s.heads))
      bad(where(), "query heads below " + std::to_string(plan_.query_heads), heads_text(s.heads));
    if (s.collective < -1 || s.collective >= static_cast<int32_t>(pass.collectives.size())) {
      bad(where(), "a collective of this pass", std::to_string(s.collective));
    }
    bool forward_tensor = s.tensor == Tensor::q || s.tensor == Tensor::kv || s.tensor == Tensor::o;
    bool backward_tensor = s.tensor != Tensor::o;
    if (kind == PassKind::forward ? !forward_tensor : !backward_tensor) {
      bad(where(), kind == PassKind::forward ? "q, kv or o" : "q, kv, do, dq or dkv",
          name_of(s.tensor));
    }
    for (SetId side : {s.from, s.to}) {
      if (!plan_.rank_sets.valid(side) || side == RangeSets::kEmpty) {
        bad(where(), "a non-empty rank set", std::to_string(side));
        return;
      }
    }
    int64_t senders = plan_.rank_sets.size_of(s.from), receivers = plan_.rank_sets.size_of(s.to);
    if (senders > 1 && receivers > 1)
      bad(where(), "one sender or one receiver",
          std::to_string(senders) + " to " + std::to_string(receivers));
    if (senders > 1 && !is_partial(s.tensor))
      bad(where(), "a partial tensor to reduce", name_of(s.tensor));
    if (receivers > 1 && is_partial(s.tensor))
      bad(where(), "a copy to multicast", name_of(s.tensor));
    if (senders == 1 && s.from == s.to && !tagged)
      bad(where(), "two different ranks",
          "rank " + std::to_string(plan_.rank_sets[s.from].front().begin) + " to itself");
  }

  // P9. The group is the side with several members; for all_to_all it is every rank that sends.
  void check_collectives(PassKind kind, const Pass& pass) {
    struct Seen {
      int32_t step = 0;
      Tensor tensor = Tensor::q;
      Heads heads;
      SetId group = RangeSets::kEmpty;
      std::set<std::pair<int64_t, int64_t>> pairs;
      std::set<int64_t> members;
      bool any = false;
    };
    std::vector<Seen> seen(pass.collectives.size());
    const std::string name = kind == PassKind::forward ? "forward" : "backward";
    auto bad_collective = [&](int32_t index, const std::string& expected,
                              const std::string& found) {
      context_.violation("P9",
                         name + " collective " + std::to_string(index) + " (" +
                             name_of(pass.collectives[index].kind) + ")",
                         expected, found);
    };
    for (const Send& s : pass.sends) {
      if (s.collective < 0) continue;
      const Collective& c = pass.collectives[s.collective];
      Seen& first = seen[s.collective];
      int64_t tokens = plan_.token_sets.size_of(s.tokens);
      if (tokens > c.padded_tokens) {
        bad_collective(s.collective,
                       "at most " + std::to_string(c.padded_tokens) + " tokens a block",
                       std::to_string(tokens));
      }
      SetId group = c.kind == CollectiveKind::all_gather       ? s.to
                    : c.kind == CollectiveKind::reduce_scatter ? s.from
                                                               : RangeSets::kEmpty;
      if (!first.any) {
        first.step = s.step, first.tensor = s.tensor, first.heads = s.heads, first.group = group,
        first.any = true;
      }
      bool same_heads = c.kind == CollectiveKind::all_to_all ? s.heads.size() == first.heads.size()
                                                             : s.heads == first.heads;
      if (s.step != first.step || s.tensor != first.tensor || !same_heads || group != first.group) {
        bad_collective(
            s.collective, "one step, tensor, head range and group",
            "step " + std::to_string(s.step) + " " + name_of(s.tensor) + " " + heads_text(s.heads));
      }
      int64_t from = plan_.rank_sets[s.from].front().begin,
              to = plan_.rank_sets[s.to].front().begin;
      int64_t owner = c.kind == CollectiveKind::reduce_scatter ? to : from;
      if (c.kind == CollectiveKind::all_to_all) {
        if (from == to || !first.pairs.emplace(from, to).second)
          bad_collective(s.collective, "each ordered pair once",
                         std::to_string(from) + " to " + std::to_string(to) + " again");
        first.members.insert(from);
        first.members.insert(to);
      } else if (!first.members.insert(owner).second) {
        bad_collective(s.collective, "one block a rank",
                       "rank " + std::to_string(owner) + " twice");
      } else if (!contains(plan_.rank_sets[group], Range{owner, owner + 1})) {
        bad_collective(s.collective, "a rank of the group", "rank " + std::to_string(owner));
      }
    }
    for (size_t i = 0; i < seen.size(); ++i) {
      const int64_t padded = pass.collectives[i].padded_tokens;
      if (padded < 0 || padded > plan_.tokens) {
        bad_collective(static_cast<int32_t>(i),
                       "blocks of at most the batch's " + std::to_string(plan_.tokens) + " tokens",
                       std::to_string(padded));
      }
      int64_t members = static_cast<int64_t>(seen[i].members.size());
      int64_t have = members, want = members * (members - 1);
      if (pass.collectives[i].kind == CollectiveKind::all_to_all) {
        have = static_cast<int64_t>(seen[i].pairs.size());
      } else {
        want = plan_.rank_sets.size_of(seen[i].group);
      }
      if (have != want || !seen[i].any) {
        bad_collective(static_cast<int32_t>(i), std::to_string(want) + " sends",
                       std::to_string(have));
      }
    }
  }

  void check_keep() {
    for (size_t i = 0; i < plan_.keep.size(); ++i) {
      const Keep& k = plan_.keep[i];
      std::string where = "keep " + std::to_string(i);
      if (k.rank < 0 || k.rank >= plan_.ranks)
        bad(where, "a rank below " + std::to_string(plan_.ranks), std::to_string(k.rank));
      if (!good_tokens(k.tokens)) bad(where, "a non-empty token set", std::to_string(k.tokens));
      if (!good_heads(k.heads))
        bad(where, "query heads below " + std::to_string(plan_.query_heads), heads_text(k.heads));
      if (k.tensor != Tensor::q && k.tensor != Tensor::kv) bad(where, "q or kv", name_of(k.tensor));
    }
  }

  Context& context_;
  const Plan& plan_;
  Passes passes_;
};

}  // namespace

bool check_structure(Context& context, Passes passes) {
  return StructureChecker(context, passes).run();
}

}  // namespace cpbench::checker
