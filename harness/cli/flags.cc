// Flags that several commands have.
#include <fmt/format.h>

#include "harness/cli/commands.h"
#include "harness/cli/run_table.h"
#include "harness/cli/terminal.h"
#include "harness/plan/errors.h"
#include "harness/run/choices.h"

namespace cpbench {

std::vector<std::string> flag_names(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

std::vector<std::string> command_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(command->get_name());
  }
  return names;
}

RunFlags::RunFlags(CLI::App& command) {
  constexpr const char* kGroup = "Runs (lists multiply out)";
  for (const RunField& field : run_fields()) {
    std::string help = field.help;
    const std::vector<std::string> choices = fixed_choices(field);
    if (!choices.empty()) help += fmt::format(": {}", fmt::join(choices, ", "));
    if (*field.default_value != '\0') help += fmt::format(" [{}]", field.default_value);
    command.add_option(std::string("--") + field.name, given_[field.name], help)
        ->type_name(std::string(field.value_name) + "[,...]")
        ->expected(1)
        ->take_all()
        ->group(kGroup);
  }
  command
      .add_option("--set", settings_,
                  "an option of a strategy, see cpbench list options; may be repeated")
      ->type_name("STRATEGY.OPTION=VALUE")
      ->expected(1)
      ->take_all()
      ->group(kGroup);
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

void add_format_flag(CLI::App& command, std::string& format) {
  format = "table";
  command.add_option("--format", format, "table, csv, json or md [table]")->type_name("NAME");
}

ViewFlags::ViewFlags(CLI::App& command) {
  command
      .add_option("--columns", columns_,
                  "columns to show after the first one [on a terminal: the most important ones "
                  "that fit]")
      ->type_name("NAME[,...]")
      ->expected(1)
      ->take_all();
  command.add_flag("--wide", wide_,
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
