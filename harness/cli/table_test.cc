#include "harness/cli/table.h"

#include <gtest/gtest.h>

#include <sstream>

#include "harness/cli/text.h"
#include "harness/plan/errors.h"

namespace cpbench {
namespace {

Table small() {
  return {{{"name"}, {"ranks", true}, {"bytes", true}}, {{"ring", "4", "10"}, {"a|b,c", "4", "9"}}};
}

// Like the table of a sweep: a long text, and more numbers than fit 80 columns.
Table sweep() {
  Table table{{{"strategy"}, {"workload", false, 9}}, {}};
  for (const char* name : {"time", "bytes", "imbalance"}) {
    table.columns.push_back({name, true, 8, name});
    table.columns.push_back({std::string(name) + " / allgather", true, 8, name});
  }
  for (const char* name : {"peak memory", "error of the output", "error of gradients"}) {
    table.columns.push_back({name, true, 3});
  }
  table.columns.push_back({"source", false, kOnRequest});
  for (const char* strategy : {"ring", "flashcp:ratio=1.25", "allgather"}) {
    std::vector<std::string> row(table.columns.size(), "1.234");
    row[0] = strategy;
    row[1] = "mix:web=0.5,books=0.25,wikipédia=0.25 and more";
    table.rows.push_back(row);
  }
  return table;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

std::string shown(const Table& table, size_t width) {
  return render(table, Format::table, {.width = width});
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
TEST(Table, markdown_shows_every_text_as_it_is) {
  const Table table{{{"a|b"}}, {{"x<y> & `z`\n2*3*4 \\"}}};
  EXPECT_EQ(render(table, Format::md),
            "| a\\|b |\n|---|\n| x&lt;y> &amp; \\`z\\`<br>2\\*3\\*4 \\\\ |\n");
  EXPECT_EQ(prose("<a|b>", Format::md, {}), "&lt;a\\|b>\n");
  EXPECT_EQ(prose("<a|b>", Format::table, {}), "<a|b>\n");
}
TEST(Table, json_replaces_what_is_not_utf8) {
  EXPECT_EQ(render({{{"a"}}, {{"\xff"}}}, Format::json),
            "[\n  {\n    \"a\": \"\xef\xbf\xbd\"\n  }\n]\n");
}
TEST(Table, constant_columns_are_folded) {
  Table table = small();
  EXPECT_EQ(fold_constant_columns(table, 1), "ranks 4");
  EXPECT_EQ(table.columns.size(), 2u);
  table.rows.pop_back();
  EXPECT_EQ(fold_constant_columns(table, 1), "");  // in one row everything is constant
  EXPECT_EQ(fold_constant_columns(table, 1, 1), "bytes 10");
}

TEST(Table, no_row_is_wider_than_the_terminal) {
  for (size_t width : {40, 60, 80, 100, 120, 200}) {
    for (const std::string& line : lines_of(shown(sweep(), width))) {
      EXPECT_LE(width_of(line), width) << line;
    }
  }
}
TEST(Table, all_of_a_table_that_fits_is_shown) {
  EXPECT_EQ(shown(small(), 19), render(small(), Format::table));
}
TEST(Table, what_is_least_important_is_left_out_and_named) {
  const std::string at_80 = shown(sweep(), 80), at_120 = shown(sweep(), 120);
  EXPECT_NE(at_80.find("time"), std::string::npos);
  EXPECT_NE(at_80.find("Not shown: imbalance, "), std::string::npos) << at_80;
  EXPECT_NE(at_80.find("--wide"), std::string::npos);
  EXPECT_NE(at_120.find("Not shown: error of the output, error of gradients, source."),
            std::string::npos)
      << at_120;
}
TEST(Table, the_first_column_is_never_cut) {
  Table table = sweep();
  table.rows[0][0] = std::string(70, 'r');
  EXPECT_NE(shown(table, 80).find(table.rows[0][0]), std::string::npos);
}
TEST(Table, a_long_text_is_cut_between_characters) {
  const Table table{{{"name"}, {"text"}}, {{"a", "Überlänge ist hier zwölfmal länger"}}};
  EXPECT_EQ(lines_of(shown(table, 30))[1], "a     Überlänge ist hier zwöl…");
  const Table wide{{{"name"}, {"text"}}, {{"a", "計測の結果を比較する計測の結果"}}};
  EXPECT_EQ(width_of(lines_of(shown(wide, 30))[1]), 29u);  // half a character does not fit
}
TEST(Table, a_long_text_can_be_wrapped_instead) {
  Table table{{{""}, {""}}, {{"title", "one two three four five six"}, {"kind", "x"}}, true};
  EXPECT_EQ(shown(table, 31),
            "title  one two three four five\n"
            "       six\n"
            "kind   x\n");
}
TEST(Table, headings_take_several_lines) {
  const Table table{{{"a"}, {"speed / allgather", true}, {"time", true}}, {{"b", "1.00x", "2 ms"}}};
  EXPECT_EQ(shown(table, 20),
            "     speed /\n"
            "a  allgather  time\n"
            "b      1.00x  2 ms\n");
}
TEST(Table, columns_can_be_chosen) {
  EXPECT_EQ(render(small(), Format::table, {.columns = {"bytes", "ranks"}}),
            "name   bytes  ranks\n"
            "ring      10      4\n"
            "a|b,c      9      4\n");
  EXPECT_EQ(with_columns(sweep(), {"time"}).columns.size(), 3u);  // both columns of the key
  EXPECT_THROW(with_columns(small(), {"byte"}), UserError);
  // What was named first is kept when not all of it fits; what is shown on request fits too.
  const std::string text =
      render(sweep(), Format::table, {.width = 50, .columns = {"source", "time", "bytes"}});
  EXPECT_NE(text.find("source"), std::string::npos);
  EXPECT_NE(text.find("Not shown: bytes."), std::string::npos) << text;
}

}  // namespace
}  // namespace cpbench
