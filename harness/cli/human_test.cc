#include "harness/cli/human.h"

#include <gtest/gtest.h>

#include <limits>

namespace cpbench {
namespace {

TEST(Human, numbers_have_three_digits_and_a_unit) {
  EXPECT_EQ(short_number(0), "0");
  EXPECT_EQ(short_number(999), "999");
  EXPECT_EQ(short_number(999.6), "1k");
  EXPECT_EQ(short_number(1234567), "1.23M");
  EXPECT_EQ(short_number(-2e9), "-2G");
  EXPECT_EQ(short_number(std::numeric_limits<double>::quiet_NaN()), "nan");
}
TEST(Human, seconds_and_bytes) {
  EXPECT_EQ(short_seconds(0), "0 us");
  EXPECT_EQ(short_seconds(4.5e-6), "4.5 us");
  EXPECT_EQ(short_seconds(999.7e-6), "1 ms");
  EXPECT_EQ(short_seconds(0.00123), "1.23 ms");
  EXPECT_EQ(short_seconds(12.3), "12.3 s");
  EXPECT_EQ(short_seconds(1234.5), "1234 s");
  EXPECT_EQ(short_bytes(512), "512 B");
  EXPECT_EQ(short_bytes(1.4e9), "1.4 GB");
}
TEST(Human, values_carry_the_unit_of_their_metric) {
  EXPECT_EQ(with_unit(82e-6, "s"), "82 us");
  EXPECT_EQ(with_unit(3.2e12, "FLOP"), "3.2 TFLOP");
  EXPECT_EQ(with_unit(413.4, "TFLOP/s"), "413 TFLOP/s");
  EXPECT_EQ(with_unit(0.02, "TFLOP/s"), "20 GFLOP/s");
  EXPECT_EQ(with_unit(1.14161865280046, "1"), "1.142");
  EXPECT_EQ(with_unit(1791, "1"), "1791");
  EXPECT_EQ(with_unit(123456, "tokens/s"), "123k tokens/s");
}

}  // namespace
}  // namespace cpbench
