// A table of texts, and the forms in which it is printed.
//
//   Table table{{{"strategy"}, {"wire_bytes", true}}, {{"ring", "4096"}}};
//   std::cout << render(table, Format::table, {.width = terminal_width()});
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace cpbench {

enum class Format : uint8_t { table, csv, json, md };
const std::vector<std::string>& format_names();
Format parse_format(const std::string& name);  // UserError with the nearest name

// Importance of a column that a terminal shows only when it is asked for.
inline constexpr int kOnRequest = 0;

struct Column {
  std::string name;
  bool number = false;  // aligned to the right, and never cut
  int importance = 5;   // when a table is too wide, columns of less importance are left out first
  std::string key{};    // what --columns calls it; "": its name. Columns of one key stay together
};

const std::string& key_of(const Column& column);

struct Table {
  std::vector<Column> columns;                 // the first one names the rows
  std::vector<std::vector<std::string>> rows;  // each as long as columns
  bool wraps = false;                          // a text that is too long is wrapped instead of cut
};

// How much of a table is shown. The first column always is, and never cut.
struct View {
  std::optional<size_t> width{};       // no row is longer; none: nothing is cut or left out
  std::vector<std::string> columns{};  // keys of the columns to show, in this order; empty: all
  // Printed below a table if something is not shown: how to see it.
  std::string more = "--columns NAME,... chooses columns, --wide shows everything.";
};

// The first column and those of the keys, in their order, the first being the most important; all
// columns for no keys. Throws UserError for a key that no column has.
Table with_columns(const Table& table, const std::vector<std::string>& keys);

// Aligned text or a Markdown table of what the view asks for; CSV (RFC 4180) or a JSON array of
// objects of texts of the whole table. Only aligned text is ever cut. Throws UserError for a column
// that the table does not have.
std::string render(const Table& table, Format format, const View& view = {});

// A paragraph (text.h) above or below a table of the same format.
std::string prose(const std::string& text, Format format, std::optional<size_t> width);

// Takes out the columns that are the same in every row and returns them as "tokens 8K, ranks 4".
// The first `kept` columns stay. Nothing is taken from a table of fewer than `least_rows` rows.
std::string fold_constant_columns(Table& table, size_t kept, size_t least_rows = 2);

// The columns of `b`, which has as many rows, behind those of `a`.
Table joined(Table a, const Table& b);

}  // namespace cpbench
