// The token sets that the buffers of one rank hold: the sets of the plan, which all ranks share,
// followed by the rank's own merged sets. And the row of a token in a buffer that holds a set.
//
//   PlanSets shared(plan.token_sets, plan.home);
//   RankSets sets(shared);               // set a = tokens 0-3 and 8-11
//   RowCursor rows = sets.rows(a);
//   rows.row_at(9) == 5;  rows.row_at(14) == 8  (the first row whose token is >= 14)
//
// Most questions about two sets are answered by what is known about them, without a walk over their
// ranges: homes are disjoint (P2), most sets lie in one of them, and a part of a set is known as a
// part. If the plan cuts every document alike (document_cut.h), the sets of that cut are disjoint
// too, and parts of them may be described by their size: their ranges are listed only if something
// asks for them.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "harness/compile/containers.h"
#include "harness/compile/document_cut.h"
#include "harness/plan/pieces.h"
#include "harness/plan/range_sets.h"

namespace cpbench {

// The first row of each range of a set, followed by the number of rows.
std::vector<int32_t> first_rows_of(RangeSpan ranges);

struct PlanSets {
  // `homes` has the home of each rank; they are disjoint. `sent` has distinct sets with which many
  // other sets will be intersected.
  PlanSets(const RangeSets& sets, const std::vector<SetId>& homes,
           std::optional<DocumentCut> cut = std::nullopt, const std::vector<SetId>& sent = {});
  const RangeSets& sets;
  const std::vector<SetId>& homes;
  std::optional<DocumentCut> cut;
  std::vector<std::vector<int32_t>> first_rows;  // by set
  std::vector<int32_t> home;                     // by set: the rank whose home contains it, or -1
  std::vector<Piece> pieces;    // of the sent sets; none unless they are disjoint, or with a cut
  std::vector<bool> in_pieces;  // by set
};

// Look-ups in one set. Ascending look-ups are cheap.
class RowCursor {
 public:
  RowCursor(RangeSpan ranges, std::span<const int32_t> first_rows)
      : ranges_(ranges), first_rows_(first_rows) {}

  // The first row whose token is >= `token`.
  int32_t row_at(int64_t token) {
    if (at_ > 0 && token < ranges_[at_ - 1].end) at_ = 0;
    at_ = range_from(ranges_, at_, token);
    const int32_t row = first_rows_[at_];
    if (at_ == ranges_.size() || token <= ranges_[at_].begin) return row;
    return row + static_cast<int32_t>(token - ranges_[at_].begin);
  }
  // The token of a row, which must exist.
  int64_t token_at(int32_t row);
  // Adds the tokens of rows, which must exist.
  void add_tokens(int32_t row, int32_t rows, Ranges& tokens);

 private:
  RangeSpan ranges_;
  std::span<const int32_t> first_rows_;
  size_t at_ = 0;  // the range of the last look-up
};

// What a set has to do with what members of the cut see. With `queries` and `keys`: it has the keys
// of the one that the queries of the other see, or those queries that see some of them. With
// `queries` only: of every other member it has what they see.
struct Seen {
  int32_t queries = -1;
  int32_t keys = -1;
  bool seeing = false;  // whether the set has queries
};

class RankSets {
 public:
  using List = std::function<Ranges()>;

  explicit RankSets(const PlanSets& shared) : shared_(shared) {}

  RangeSpan operator[](SetId set) const {
    return set < plan_count() ? shared_.sets[set] : listed(own_[set - plan_count()]);
  }
  int64_t size_of(SetId set) const {
    return set < plan_count() ? shared_.sets.size_of(set) : own_[set - plan_count()].size;
  }
  SetId intern(RangeSpan normal);
  // `normal` must be a part of `whole`, or all of it.
  SetId intern_part(RangeSpan normal, SetId whole);
  // A part of `whole` of that size, whose ranges `list` returns when they are needed.
  SetId describe_part(int64_t size, SetId whole, List list, Seen seen = {});
  void set_seen(SetId set, Seen seen) {
    if (set >= plan_count()) own_[set - plan_count()].seen = seen;
  }
  // `set` without `other`, where some of both is in `other`.
  SetId subtract(SetId set, SetId other);
  SetId intersect(SetId a, SetId b);
  int64_t size_of_intersection(SetId a, SetId b);
  bool contains(SetId outer, SetId inner);
  bool known_part(SetId part, SetId whole) const;
  // The rank whose home is known to contain the tokens, or -1.
  int32_t home_of(SetId set) const {
    return set < plan_count() ? shared_.home[set] : own_[set - plan_count()].home;
  }
  RowCursor rows(SetId set);

 private:
  struct OwnSet {  // what is known about one of the rank's own sets
    int64_t size = 0;
    int32_t home = -1;
    int32_t member = -1;  // of the cut: it contains the set
    Seen seen = {};
    SetId whole = RangeSets::kNone;  // a set that it is a part of
    SetId minus = RangeSets::kNone;  // all that it lacks of `whole`, if that is known
    mutable Ranges ranges = {};
    List list = {};                        // empty if `ranges` is listed from the beginning
    std::vector<int32_t> first_rows = {};  // empty until it is needed
    bool measured = false;                 // whether `sizes_` has what it shares with sent sets
  };
  enum class Relation : uint8_t { unknown, disjoint, a_in_b, b_in_a };

  SetId plan_count() const { return shared_.sets.count(); }
  static RangeSpan listed(const OwnSet& set);
  SetId add(OwnSet set);
  bool is_described(SetId set) const {
    return set >= plan_count() && own_[set - plan_count()].list != nullptr;
  }
  int32_t member_of(SetId set) const {
    if (set >= plan_count()) return own_[set - plan_count()].member;
    return shared_.cut ? shared_.cut->container(set) : -1;
  }
  Relation relation(SetId a, SetId b) const;
  // Adds to `sizes_` what the set has in common with each sent set: one walk over the tokens that
  // it has, instead of a walk for each of them.
  void measure(SetId set);
  // The size of an intersection that the cut knows.
  std::optional<int64_t> described_intersection(SetId a, SetId b);

  const PlanSets& shared_;
  std::deque<OwnSet> own_;                             // a growing deque never moves them
  std::unordered_multimap<uint64_t, SetId> by_hash_;   // of those that were listed when added
  std::unordered_map<uint64_t, SetId> intersections_;  // by pair of sets: the same few recur
  std::unordered_map<uint64_t, int64_t> sizes_;        // of intersections, by pair of sets
  std::map<std::pair<int32_t, int32_t>, int64_t> seen_sizes_;  // by (queries, index) of the cut
};

}  // namespace cpbench
