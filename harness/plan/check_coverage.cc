// P3: every (query, key, query head) triple of the mask is attended exactly once.
//
// Queries are sorted into classes: the queries of a class lie in the same q sets, so they meet the
// same list of kv sets. Each class is checked against the union of its list. Head ranges that have
// the same attends are checked once.
#include <algorithm>
#include <map>

#include "harness/plan/check_context.h"

namespace cpbench::checker {
namespace {

struct Group {  // the attends of one q set, for one head interval
  SetId q = RangeSets::kEmpty;
  std::vector<SetId> keys;
};

class CoverageChecker {
 public:
  CoverageChecker(Context& context, PassKind kind)
      : context_(context), kind_(kind), pass_(context.pass(kind)) {}

  void run() {
    HeadIntervals intervals(context_.plan.query_heads);
    for (const Attend& a : pass_.attends) intervals.add(a.heads);
    for (Heads heads : intervals.list()) {
      heads_ = heads;
      std::vector<std::pair<SetId, SetId>> attends;
      for (const Attend& a : pass_.attends) {
        if (a.heads.contains(heads_)) attends.emplace_back(a.q, a.kv);
      }
      std::sort(attends.begin(), attends.end());
      if (context_.covered.contains(attends)) continue;  // of other heads, or of the other pass
      size_t before = context_.violations.size();
      judge(attends);
      if (context_.violations.size() == before) context_.covered.insert(std::move(attends));
    }
  }

 private:
  void judge(const std::vector<std::pair<SetId, SetId>>& attends) {
    std::vector<Group> groups;
    for (auto [q, kv] : attends) {
      if (groups.empty() || groups.back().q != q) groups.push_back({q, {}});
      groups.back().keys.push_back(kv);
    }
    std::vector<SetId> query_sets;
    for (const Group& group : groups) query_sets.push_back(group.q);
    const SetUnions::Union& queries = context_.unions.of(query_sets);
    if (queries.disjoint()) {  // if so, each group is a class
      for (const Group& group : groups) judge_class(context_.tokens(group.q), group.keys);
      Range whole{0, context_.plan.tokens};
      judge_class(subtract(RangeSpan(&whole, 1), queries.united), {});
      return;
    }
    for (auto& [members, class_queries] : classes(groups)) {
      std::vector<SetId> keys;
      for (int32_t g : members)
        keys.insert(keys.end(), groups[g].keys.begin(), groups[g].keys.end());
      judge_class(class_queries, keys);
    }
  }

  // Maps the groups that a query belongs to, as indices, to all such queries.
  std::map<std::vector<int32_t>, Ranges> classes(const std::vector<Group>& groups) {
    struct Edge {
      int64_t token;
      int32_t group;
      bool enters;
    };
    std::vector<Edge> edges;
    for (size_t g = 0; g < groups.size(); ++g) {
      for (const Range& r : context_.tokens(groups[g].q)) {
        edges.push_back({r.begin, static_cast<int32_t>(g), true});
        edges.push_back({r.end, static_cast<int32_t>(g), false});
      }
    }
    std::sort(edges.begin(), edges.end(),
              [](const Edge& a, const Edge& b) { return a.token < b.token; });
    std::map<std::vector<int32_t>, Ranges> result;
    std::vector<int32_t> active;  // sorted
    int64_t from = 0;
    auto close = [&](int64_t token) {
      if (token > from) result[active].push_back({from, token});
      from = token;
    };
    for (const Edge& e : edges) {
      close(e.token);
      auto at = std::lower_bound(active.begin(), active.end(), e.group);
      if (e.enters) {
        active.insert(at, e.group);
      } else {
        active.erase(at);
      }
    }
    close(context_.plan.tokens);
    return result;
  }

  void judge_class(RangeSpan queries, std::vector<SetId> keys) {
    context_.require_time();
    const SetUnions::Union& attended = context_.unions.of(std::move(keys));
    context_.mask.for_each_document(queries, [&](Range piece, int32_t document) {
      context_.mask.for_each_key_range(piece, document, [&](Range keys) {
        if (!contains(attended.united, keys)) {
          report(piece, subtract(RangeSpan(&keys, 1), attended.united), false);
        }
        if (!attended.disjoint() && overlap(RangeSpan(&keys, 1), attended.doubled)) {
          report(piece, intersect(RangeSpan(&keys, 1), attended.doubled), true);
        }
      });
    });
  }

  // Reports one wrong triple, and the attends that make it wrong.
  void report(Range queries, const Ranges& keys, bool twice) {
    // The first wrong key, and the first query of the piece that sees it.
    int64_t key = keys.front().begin;
    int64_t query = queries.begin;
    auto sees = [&](int64_t q) {
      return contains(context_.mask.visible_keys(q), Range{key, key + 1});
    };
    while (query + 1 < queries.end && !sees(query)) ++query;
    std::string found = "not attended";
    int64_t rank = home_of(query);
    std::string where = std::string(kind_ == PassKind::forward ? "forward" : "backward");
    if (twice) {
      found = "attended by";
      int named = 0;
      for (const Attend& a : pass_.attends) {
        bool covers = contains(context_.tokens(a.q), Range{query, query + 1}) &&
                      contains(context_.tokens(a.kv), Range{key, key + 1}) &&
                      a.heads.contains(heads_);
        if (!covers) continue;
        if (named++ < 3)
          found += (named > 1 ? " and" : "") + std::string(" rank ") + std::to_string(a.rank) +
                   " step " + std::to_string(a.step);
      }
    }
    where += " query " + std::to_string(query) + " (home rank " + std::to_string(rank) + ") kv " +
             set_text(keys) + " " + heads_text(heads_);
    context_.violation("P3", where, "attended once", found);
  }

  int64_t home_of(int64_t token) const {
    for (int32_t r = 0; r < context_.plan.ranks; ++r) {
      if (contains(context_.tokens(context_.plan.home[r]), Range{token, token + 1})) return r;
    }
    return -1;
  }

  Context& context_;
  PassKind kind_;
  const Pass& pass_;
  Heads heads_;
};

}  // namespace

void check_coverage(Context& context, PassKind pass) { CoverageChecker(context, pass).run(); }

}  // namespace cpbench::checker
