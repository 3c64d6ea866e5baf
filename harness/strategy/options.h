// Options of a strategy. One row of a table declares an option; parsing, help, `list`, JSON and
// error messages follow from it.
//
//   .options = {number_option("ratio", "1.05", "imbalance to stay within", 1, 100)}
//
//   const Options options("flashcp", strategy_flashcp.options, {{"ratio", "1.1"}});
//   options.number("ratio")   // 1.1
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "harness/plan/deadline.h"

namespace cpbench {

enum class OptionKind : uint8_t { boolean, integer, number, choice };

struct OptionSpec {
  std::string name;  // "ratio"
  OptionKind kind = OptionKind::boolean;
  std::string default_value;  // "1.05"
  std::string help;           // one line, with the unit
  double minimum = 0;         // of an integer or number; not bounded if minimum == maximum
  double maximum = 0;
  std::vector<std::string> choices = {};  // of a choice
};

// Values of an option that tuning tries besides its default: {"ratio", {"1.02", "1.1"}}.
struct OptionGrid {
  std::string option;
  std::vector<std::string> values;
};

// One row of each kind, with its default value.
OptionSpec boolean_option(std::string name, std::string value, std::string help);
OptionSpec integer_option(std::string name, std::string value, std::string help, double minimum,
                          double maximum);
OptionSpec number_option(std::string name, std::string value, std::string help, double minimum,
                         double maximum);
OptionSpec choice_option(std::string name, std::string value, std::string help,
                         std::vector<std::string> choices);

// What a planner may use besides its options, and what it has used.
struct Planning {
  Deadline deadline{};       // of its solvers
  double child_seconds = 0;  // of CPU time in child processes
};

// Checked values for every row of a table: the values that were set, and defaults for the others.
class Options {
 public:
  // Throws UserError that names the option, its value and what the value must be.
  Options(const std::string& strategy, const std::vector<OptionSpec>& specs,
          const std::map<std::string, std::string>& set);

  bool boolean(const std::string& name) const;
  int64_t integer(const std::string& name) const;
  double number(const std::string& name) const;
  const std::string& text(const std::string& name) const;  // any kind, as written
  // Only the values that differ from their defaults, sorted: "ratio=1.1,solver=exact". "" if none
  // differs.
  std::string changed() const;
  const std::map<std::string, std::string>& changed_values() const { return changed_; }
  const std::string& strategy() const { return strategy_; }
  const std::shared_ptr<Planning>& planning() const { return planning_; }

 private:
  std::string strategy_;
  std::shared_ptr<Planning> planning_ = std::make_shared<Planning>();
  std::map<std::string, std::string> values_;
  std::map<std::string, std::string> changed_;
};

}  // namespace cpbench
