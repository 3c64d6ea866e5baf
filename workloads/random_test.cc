// Compares the generators with values of their reference implementations.
#include "workloads/random.h"

#include <gtest/gtest.h>

namespace cpbench {
namespace {

TEST(RandomTest, SplitMix64GivesItsReferenceValues) {
  SplitMix64 random(1234567);
  EXPECT_EQ(random.next(), 6457827717110365317u);
  EXPECT_EQ(random.next(), 3203168211198807973u);
  EXPECT_EQ(random.next(), 9817491932198370423u);
}

TEST(RandomTest, XoshiroGivesItsReferenceValues) {
  Random random(std::array<uint64_t, 4>{1, 2, 3, 4});
  EXPECT_EQ(random.next(), 11520u);
  EXPECT_EQ(random.next(), 0u);
  EXPECT_EQ(random.next(), 1509978240u);
  EXPECT_EQ(random.next(), 1215971899390074240u);
}

TEST(RandomTest, UniformLiesStrictlyInsideAndIsEven) {
  Random random(7);
  double sum = 0;
  for (int i = 0; i < 100000; ++i) {
    double u = random.uniform();
    ASSERT_GT(u, 0);
    ASSERT_LT(u, 1);
    sum += u;
  }
  // Within five standard errors, which are 1 / sqrt(12 n) each.
  EXPECT_NEAR(sum / 100000, 0.5, 0.0046);
}

TEST(RandomTest, UniformHasNeitherEndAtExtremeBits) {
  // The first output is rotl(5 s1, 7) * 9: zero for s1 = 0, all ones for the s1 below.
  EXPECT_EQ(Random(std::array<uint64_t, 4>{1, 0, 1, 1}).uniform(), 0x1p-53);
  uint64_t ninth = 0x8e38e38e38e38e39;  // inverse of 9 modulo 2^64
  uint64_t fifth = 0xcccccccccccccccd;  // inverse of 5
  uint64_t rotated = ninth * ~uint64_t{0};
  Random largest(std::array<uint64_t, 4>{1, fifth * (rotated >> 7 | rotated << 57), 1, 1});
  EXPECT_EQ(largest.uniform(), 1 - 0x1p-53);
}

TEST(RandomTest, BelowReachesEveryValueAndNoOther) {
  Random random(3);
  int seen[3] = {};
  for (int i = 0; i < 3000; ++i) {
    int64_t value = random.below(3);
    ASSERT_TRUE(value >= 0 && value < 3);
    ++seen[value];
  }
  for (int count : seen) EXPECT_GT(count, 850);
  EXPECT_EQ(random.below(1), 0);
}

}  // namespace
}  // namespace cpbench
