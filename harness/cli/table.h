// A table of texts, and the forms in which it is printed.
//
//   Table table{{{"strategy"}, {"wire_bytes", true}}, {{"ring", "4096"}}};
//   std::cout << render(table, Format::table);
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace cpbench {

enum class Format : uint8_t { table, csv, json, md };
const std::vector<std::string>& format_names();
Format parse_format(const std::string& name);  // UserError with the nearest name

struct Column {
  std::string name;
  bool number = false;  // aligned to the right
};

struct Table {
  std::vector<Column> columns;
  std::vector<std::vector<std::string>> rows;  // each as long as columns
};

// Aligned text, CSV (RFC 4180), a JSON array of objects of texts, or a Markdown table.
std::string render(const Table& table, Format format);

// Takes out the columns that are the same in every row and returns them as "tokens 8K, ranks 4".
// The first `kept` columns stay. Nothing is taken from a table of fewer than two rows.
std::string fold_constant_columns(Table& table, size_t kept);

// "12.3M", "4.56G": three digits and a decimal unit; and "1.23 ms".
std::string short_number(double value);
std::string short_seconds(double seconds);

}  // namespace cpbench
