// Flags that several commands have.
#include <fmt/format.h>

#include "harness/cli/commands.h"
#include "harness/cli/run_table.h"
#include "harness/cli/terminal.h"
#include "harness/plan/errors.h"
#include "harness/run/choices.h"

namespace cpbench {

RunFlags::RunFlags(Command& command) {
  constexpr const char* kGroup = "Runs (lists multiply out)";
  for (const RunField& field : run_fields()) {
    std::string help = field.help;
    const std::vector<std::string> choices = fixed_choices(field);
    if (!choices.empty()) help += fmt::format(": {}", fmt::join(choices, ", "));
    if (*field.default_value != '\0') help += fmt::format(" [{}]", field.default_value);
    command.options(std::string("--") + field.name, given_[field.name], help,
                    std::string(field.value_name) + "[,...]", kGroup);
  }
  command.options("--set", settings_,
                  "an option of a strategy, see cpbench list options; may be repeated",
                  "STRATEGY.OPTION=VALUE", kGroup);
}

Product RunFlags::product() const {
  Product product;
  for (const auto& [name, words] : given_) {
    if (words.empty()) continue;
    Values& values = product.fields[name];
    values.origin = "--" + name;
    for (const std::string& word : words) {
      const std::vector<std::string> pieces = split_values(word);
      if (pieces.empty()) throw UserError("--" + name + ": the value is empty");
      values.values.insert(values.values.end(), pieces.begin(), pieces.end());
    }
  }
  product.settings = {settings_, "--set"};
  return product;
}

void add_format_flag(Command& command, std::string& format) {
  format = "table";
  command.option("--format", format, "table, csv, json or md [table]", "NAME");
}

ViewFlags::ViewFlags(Command& command) {
  command.options("--columns", columns_,
                  "columns to show after the first one [on a terminal: the most important ones "
                  "that fit]",
                  "NAME[,...]");
  command.flag("--wide", wide_,
               "show all columns in full, even if rows are wider than the terminal");
}

View ViewFlags::view(Format format) const {
  View view;
  if (!wide_ && format == Format::table) view.width = terminal_width();
  for (const std::string& word : columns_) {
    for (const std::string& name : split_values(word)) view.columns.push_back(name);
  }
  if (!view.columns.empty() && (format == Format::csv || format == Format::json)) {
    throw UserError("--columns: csv and json have all columns; choose with --format table or md");
  }
  return view;
}

View ViewFlags::view_of_runs(Format format) const {
  View found = view(format);
  for (std::string& name : found.columns) name = column_key(name);
  return found;
}

}  // namespace cpbench
