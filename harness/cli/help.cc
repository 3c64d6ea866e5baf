#include "harness/cli/help.h"

#include <algorithm>
#include <sstream>

#include "harness/cli/terminal.h"
#include "harness/cli/text.h"

namespace cpbench {
namespace {

constexpr size_t kUsualWidth = 80;
constexpr size_t kLeastWidth = 60;
constexpr size_t kCommandColumn = 14;  // where the text of a command begins
constexpr size_t kOptionColumn = 28;   // and that of an option

// "  name   text" with the text wrapped in its column, below the name if that is long.
std::string entry(const std::string& name, const std::string& text, size_t column, size_t width) {
  std::string out = "  " + name;
  if (out.size() + 1 > column)
    out += "\n" + std::string(column, ' ');
  else
    out.resize(column, ' ');
  return out + paragraph(text, width, column);
}

}  // namespace

Help::Help() : width_(std::max(terminal_width().value_or(kUsualWidth), kLeastWidth)) {}

std::string Help::make_description(const CLI::App* app) const {
  std::istringstream text(app->get_description());
  std::string summary, out;
  std::getline(text, summary);
  for (std::string line; std::getline(text, line);) {
    const bool whole = line.empty() || line.front() == ' ';
    out += whole ? line + "\n" : paragraph(line, width_);
  }
  return out + (out.empty() ? "" : "\n") + paragraph(summary, width_);
}

std::string Help::make_subcommand(const CLI::App* command) const {
  const std::string text = command->get_description();
  return entry(command->get_name(), text.substr(0, text.find('\n')), kCommandColumn, width_);
}

std::string Help::make_option(const CLI::Option* option, bool is_positional) const {
  return entry(make_option_name(option, is_positional) + make_option_opts(option),
               make_option_desc(option), kOptionColumn, width_);
}

}  // namespace cpbench
