// The text of --help: examples first, everything wrapped to the terminal.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace cpbench {

// A description is one line of summary, then "Examples:" and what else is to say. Lines that begin
// with a blank stay as they are, others are wrapped.
class Help : public CLI::Formatter {
 public:
  Help();
  std::string make_description(const CLI::App* app) const override;
  std::string make_subcommand(const CLI::App* command) const override;
  std::string make_option(const CLI::Option* option, bool is_positional) const override;

 private:
  size_t width_;
};

}  // namespace cpbench
