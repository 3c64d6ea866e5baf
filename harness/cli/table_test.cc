#include "harness/cli/table.h"

#include <gtest/gtest.h>

namespace cpbench {
namespace {

Table small() {
  return {{{"name"}, {"ranks", true}, {"bytes", true}}, {{"ring", "4", "10"}, {"a|b,c", "4", "9"}}};
}

TEST(Table, aligns_texts_left_and_numbers_right) {
  EXPECT_EQ(render(small(), Format::table),
            "name   ranks  bytes\n"
            "ring       4     10\n"
            "a|b,c      4      9\n");
}
TEST(Table, csv_quotes_and_markdown_escapes) {
  EXPECT_EQ(render(small(), Format::csv), "name,ranks,bytes\nring,4,10\n\"a|b,c\",4,9\n");
  EXPECT_EQ(render(small(), Format::md),
            "| name | ranks | bytes |\n|---|---:|---:|\n| ring | 4 | 10 |\n| a\\|b,c | 4 | 9 |\n");
}
TEST(Table, constant_columns_are_folded) {
  Table table = small();
  EXPECT_EQ(fold_constant_columns(table, 1), "ranks 4");
  EXPECT_EQ(table.columns.size(), 2u);
  table.rows.pop_back();
  EXPECT_EQ(fold_constant_columns(table, 1), "");  // one row: everything is constant
}
TEST(Table, short_numbers) {
  EXPECT_EQ(short_number(0), "0");
  EXPECT_EQ(short_number(999), "999");
  EXPECT_EQ(short_number(1234567), "1.23M");
  EXPECT_EQ(short_seconds(0.00123), "1.23 ms");
  EXPECT_EQ(short_seconds(12.3), "12.3 s");
  EXPECT_EQ(short_seconds(4.5e-6), "4.5 us");
}

}  // namespace
}  // namespace cpbench
