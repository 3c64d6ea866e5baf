#include "harness/cli/command.h"

#include <CLI/CLI.hpp>

namespace cpbench {

Command::Command(CLI::App& app, Text name, Text description)
    : command_(*app.add_subcommand(name, description)) {}

void Command::argument(Text name, std::string& value, Text help, Text type) {
  command_.add_option(name, value, help)->required()->type_name(type);
}
void Command::optional_argument(Text name, std::string& value, Text help, Text type) {
  command_.add_option(name, value, help)->type_name(type);
}
void Command::arguments(Text name, std::vector<std::string>& values, Text help, Text type) {
  command_.add_option(name, values, help)->required()->type_name(type);
}

void Command::option(Text name, std::string& value, Text help, Text type) {
  command_.add_option(name, value, help)->type_name(type);
}
void Command::required_option(Text name, std::string& value, Text help, Text type) {
  command_.add_option(name, value, help)->type_name(type)->required();
}
void Command::options(Text name, std::vector<std::string>& values, Text help, Text type,
                      Text group) {
  CLI::Option* option = command_.add_option(name, values, help)->type_name(type);
  option->expected(1)->take_all();
  if (!group.empty()) option->group(group);
}
void Command::positive_option(Text name, double& value, Text help, Text type) {
  command_.add_option(name, value, help)
      ->type_name(type)
      ->check(CLI::Validator(CLI::PositiveNumber).description(""));
}
void Command::flag(Text name, bool& value, Text help) { command_.add_flag(name, value, help); }
void Command::flag_or_option(Text name, std::optional<std::string>& value, Text help, Text type) {
  const auto set = [&value](const std::vector<std::string>& given) {
    value = given.empty() ? "" : given.front();
  };
  command_.add_option_function<std::vector<std::string>>(name, set, help)
      ->expected(0, 1)
      ->type_name(type);
}

void Command::action(std::function<void()> run) { command_.callback(std::move(run)); }

std::vector<std::string> flag_names(const CLI::App& app, const std::string& command) {
  std::vector<std::string> names;
  const CLI::App& chosen = command.empty() ? app : *app.get_subcommand(command);
  for (const CLI::Option* option : chosen.get_options()) {
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

}  // namespace cpbench
