#include "harness/plan/range_sets.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

#include "harness/plan/set_family.h"
#include "harness/plan/set_unions.h"

namespace cpbench {
namespace {

using Bits = std::set<int64_t>;

Bits bits(RangeSpan ranges) {
  Bits out;
  for (const Range& r : ranges) {
    for (int64_t t = r.begin; t < r.end; ++t) out.insert(t);
  }
  return out;
}

Ranges random_set(std::mt19937_64& random, int64_t tokens) {
  Ranges ranges;
  for (uint64_t i = random() % 6; i > 0; --i) {
    int64_t begin = static_cast<int64_t>(random() % tokens);
    ranges.push_back({begin, begin + static_cast<int64_t>(random() % 5)});
  }
  return normalise(ranges);
}

TEST(RangeSets, AlgebraAgreesWithSetsOfTokens) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 5000; ++i) {
    Ranges a = random_set(random, 24), b = random_set(random, 24);
    Bits united = bits(a), common, rest;
    for (int64_t t : bits(b)) united.insert(t);
    for (int64_t t : bits(a)) (bits(b).contains(t) ? common : rest).insert(t);
    for (const Ranges& r : {unite(a, b), intersect(a, b), subtract(a, b)})
      EXPECT_TRUE(is_normal(r));
    EXPECT_EQ(bits(unite(a, b)), united);
    EXPECT_EQ(bits(intersect(a, b)), common);
    EXPECT_EQ(size_of_intersection(a, b), size_of(intersect(a, b)));
    EXPECT_EQ(bits(subtract(a, b)), rest);
    EXPECT_EQ(overlap(a, b), !common.empty());
    EXPECT_EQ(contains_all(b, a), rest.empty());
    EXPECT_EQ(size_of(RangeSpan(a)), static_cast<int64_t>(bits(a).size()));
  }
}

TEST(RangeSets, NormalisesAnyOrder) {
  EXPECT_EQ(normalise({{5, 7}, {0, 2}, {2, 3}, {4, 4}, {6, 9}}), (Ranges{{0, 3}, {5, 9}}));
  EXPECT_FALSE(is_normal(Ranges{{0, 2}, {2, 3}}));
  EXPECT_FALSE(is_normal(Ranges{{3, 3}}));
}

TEST(RangeSets, InternsEachSetOnce) {
  RangeSets sets;
  EXPECT_EQ(sets.intern(Ranges{}), RangeSets::kEmpty);
  SetId a = sets.intern(Ranges{{0, 2}, {4, 6}});
  EXPECT_EQ(sets.intern(Ranges{{0, 2}, {4, 6}}), a);
  EXPECT_NE(sets.intern(Range{0, 2}), a);
  EXPECT_EQ(sets.size_of(a), 4);
}

TEST(SetUnions, FindsWhatSeveralHold) {
  std::mt19937_64 random(2);
  for (int i = 0; i < 2000; ++i) {
    RangeSets sets;
    SetUnions unions(sets);
    std::vector<SetId> list;
    std::map<int64_t, int> times;
    for (uint64_t n = random() % 5; n > 0; --n) {
      list.push_back(sets.intern(random_set(random, 24)));
      for (int64_t t : bits(sets[list.back()])) ++times[t];
    }
    Bits once, twice;
    for (auto [t, n] : times) {
      once.insert(t);
      if (n > 1) twice.insert(t);
    }
    EXPECT_EQ(bits(unions.of(list).united), once);
    EXPECT_EQ(bits(unions.of(list).doubled), twice);
  }
}

TEST(SetFamily, AgreesWithPlainUnions) {
  std::mt19937_64 random(3);
  for (int i = 0; i < 3000; ++i) {
    RangeSets sets;
    SetUnions unions(sets);
    std::vector<SetId> members;
    bool partition = random() % 2 == 0;  // the case that the shortcut is for
    for (int64_t m = 0; m < (i % 2 == 0 ? 6 : 12); ++m) {
      members.push_back(
          partition ? sets.intern(Range{4 * m, 4 * m + 1 + static_cast<int64_t>(random() % 3)})
                    : sets.intern(random_set(random, 24)));
    }
    SetFamily family(sets, unions, members);
    std::vector<SetId> list;
    for (SetId id : members) {
      if (random() % 4 != 0) list.push_back(id);
    }
    if (random() % 4 == 0) list.push_back(sets.intern(random_set(random, 24)));
    Ranges a = random_set(random, 24);
    SetId other = sets.intern(random_set(random, 24));
    EXPECT_EQ(family.subtract_union(a, list), subtract(a, unions.of(list).united));
    std::vector<SetId> with_other = list;
    if (other != RangeSets::kEmpty) with_other.push_back(other);
    EXPECT_EQ(family.disjoint(list, other), unions.of(with_other).disjoint());
  }
}

}  // namespace
}  // namespace cpbench
