#include "harness/compile/rank_sets.h"

#include <gtest/gtest.h>

#include <random>

namespace cpbench {
namespace {

// Cuts [0, 200) into the homes of four ranks, several ranges each.
std::vector<Ranges> random_homes(std::mt19937_64& random) {
  std::vector<Ranges> homes(4);
  for (int64_t at = 0; at < 200;) {
    const int64_t end = std::min<int64_t>(200, at + 1 + static_cast<int64_t>(random() % 9));
    homes[random() % homes.size()].push_back({at, end});
    at = end;
  }
  for (Ranges& home : homes) home = normalise(std::move(home));
  return homes;
}

Ranges random_part(RangeSpan whole, std::mt19937_64& random) {
  Ranges part;
  for (const Range& r : whole) {
    if (random() % 3 > 0) part.push_back({r.begin + (r.size() > 2 && random() % 2 > 0), r.end});
  }
  return normalise(std::move(part));
}

// What is known of sets against walks over their ranges: sets of the plan and of the rank, parts
// of parts, unions.
TEST(RankSets, what_is_known_is_what_a_walk_finds) {
  std::mt19937_64 random(5);
  for (int round = 0; round < 200; ++round) {
    RangeSets of_plan;
    std::vector<SetId> homes;
    for (const Ranges& home : random_homes(random)) homes.push_back(of_plan.intern(home));
    std::vector<SetId> sent;  // nothing, the homes, disjoint parts of them, or overlapping sets
    for (size_t i = 0; round % 4 > 0 && i < homes.size(); ++i) {
      const Ranges part = random_part(of_plan[homes[i]], random);
      sent.push_back(round % 4 == 1 ? homes[i] : of_plan.intern(part));
    }
    if (round % 4 == 3) sent.push_back(homes.front());
    for (int i = 0; i < 4; ++i) {
      of_plan.intern(random_part(of_plan[homes[random() % homes.size()]], random));
      of_plan.intern(unite(of_plan[homes[i]], of_plan[homes[random() % homes.size()]]));
    }
    const PlanSets shared(of_plan, homes, std::nullopt, sent);
    RankSets sets(shared);
    std::vector<SetId> ids;
    for (SetId id = 0; id < of_plan.count(); ++id) ids.push_back(id);
    for (int i = 0; i < 12; ++i) {
      const SetId whole = ids[random() % ids.size()];
      const Ranges other(sets[whole].begin(), sets[whole].end());
      ids.push_back(i % 4 == 3 ? sets.intern(unite(other, sets[ids[random() % ids.size()]]))
                               : sets.intern_part(random_part(other, random), whole));
    }
    for (SetId a : ids) {
      for (SetId b : ids) {
        const Ranges common = intersect(sets[a], sets[b]);
        EXPECT_EQ(sets.size_of_intersection(a, b), size_of(common));
        EXPECT_EQ(sets.contains(a, b), contains_all(sets[a], sets[b]));
        EXPECT_EQ(sets.intersect(a, b), sets.intern(common));
      }
      const int32_t home = sets.home_of(a);
      if (home >= 0) {
        EXPECT_TRUE(contains_all(sets[homes[home]], sets[a]));
      } else if (a < of_plan.count() && a != RangeSets::kEmpty) {
        for (SetId each : homes) EXPECT_FALSE(contains_all(sets[each], sets[a]));
      }
    }
  }
}

TEST(RankSets, equal_sets_have_one_name) {
  RangeSets of_plan;
  const std::vector<SetId> homes = {of_plan.intern({{0, 8}})};
  const PlanSets shared(of_plan, homes);
  RankSets sets(shared);
  EXPECT_EQ(sets.intern(Ranges{{0, 8}}), homes[0]);
  EXPECT_EQ(sets.intern_part(Ranges{{0, 8}}, homes[0]), homes[0]);
  const SetId part = sets.intern_part(Ranges{{2, 4}}, homes[0]);
  EXPECT_EQ(sets.intern(Ranges{{2, 4}}), part);
  EXPECT_NE(part, homes[0]);
}

}  // namespace
}  // namespace cpbench
