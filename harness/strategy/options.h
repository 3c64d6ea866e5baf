// Options of a strategy: one row declares an option, and parsing, help, `list`, JSON and the
// error messages follow from the table.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace cpbench {

enum class OptionKind : uint8_t { boolean, integer, number, choice };

struct OptionSpec {
  std::string name;  // "ratio"
  OptionKind kind = OptionKind::boolean;
  std::string default_value;  // "1.05"
  std::string help;           // one line, with the unit
  double minimum = 0;         // integer and number
  double maximum = 0;         // minimum == maximum: unbounded
  std::vector<std::string> choices;
};

// Checked values for every row of a table: what was set, the defaults for the rest.
class Options {
 public:
  // Throws UserError that names the option, the value and what would be right.
  Options(const std::string& strategy, const std::vector<OptionSpec>& specs,
          const std::map<std::string, std::string>& set);

  bool boolean(const std::string& name) const;
  int64_t integer(const std::string& name) const;
  double number(const std::string& name) const;
  const std::string& text(const std::string& name) const;  // any kind, as written
  // Only what differs from the default, sorted: "ratio=1.1,solver=exact"; "" if nothing does.
  std::string changed() const;
  const std::map<std::string, std::string>& changed_values() const { return changed_; }

 private:
  std::map<std::string, std::string> values_;
  std::map<std::string, std::string> changed_;
};

}  // namespace cpbench
