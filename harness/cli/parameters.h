// The parameters of a run: one row each. The flag, the TOML key of a suite, help, validation, the
// columns of tables and CSV, completion and the command that reproduces a result follow from it.
//
//   --tokens 8K,16K        on the command line: values separated by commas multiply out
//   tokens = ["8K", "16K"] in a suite
#pragma once

#include <map>
#include <string>
#include <vector>

#include "harness/measure/result.h"

namespace cpbench {

struct RunParameter {
  std::string name;           // TOML key, CSV column, and flag after "--"
  std::string value_name;     // "NAME", "SIZE"
  std::string help;           // one line
  std::string default_value;  // as written; "" if it must be given (or has no meaning alone)
  // Reads one value into the cell. Throws UserError that says what would be right.
  void (*set)(Cell& cell, const std::string& value) = nullptr;
  // The value as it would be written; "" where it has no meaning for this cell.
  std::string (*get)(const Cell& cell) = nullptr;
  std::vector<std::string> (*choices)() = nullptr;  // known words, or nullptr
};

const std::vector<RunParameter>& parameters();
const RunParameter* find_parameter(const std::string& name);  // nullptr if there is none
std::vector<std::string> parameter_names();

// Splits "a,b:x=1,y=2,c" into "a", "b:x=1,y=2", "c": a piece with '=' before any ':' belongs to the
// value on its left.
std::vector<std::string> split_values(const std::string& text);

// One "--set STRATEGY.OPTION=VALUE", or an entry of the key `set` of a suite.
struct OptionSetting {
  std::string strategy, option, value;
};
// Throws UserError: form, strategy, option and value are all checked against the registry.
OptionSetting parse_setting(const std::string& text);

// Options that differ from the defaults; throws UserError for a bad name or value.
std::map<std::string, std::string> changed_options(
    const std::string& strategy, const std::map<std::string, std::string>& options);
std::string options_text(const std::map<std::string, std::string>& options);  // "a=1,b=2"

// The value that leaves a parameter to the rest of the cell; `cells_of` puts in what it stands for.
inline constexpr const char* kAutomatic = "auto";

// Of what may be a name or a file: whether it is a file.
bool is_file(const std::string& name);

bool is_external(const std::string& strategy);  // "exec:PROGRAM"

// Words of the closed choices (mask_names and dtype_names are in harness/plan/names.h).
std::vector<std::string> strategy_names();
std::vector<std::string> workload_names();
std::vector<std::string> packing_names();
std::vector<std::string> shape_names();
std::vector<std::string> cluster_names();
std::vector<std::string> profile_names();
std::vector<std::string> kernel_model_names();  // of simulations
const std::vector<std::string>& network_names();
const std::vector<std::string>& direction_names();

}  // namespace cpbench
