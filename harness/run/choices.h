// Which names may stand in a field of a run, and how several values and options are written.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "harness/spec/run_fields.h"

namespace cpbench {

// The names there are; empty for counts. A field may take others too: files, parameters after a
// name.
std::vector<std::string> known_names(const RunField& field);

// Throws UserError with the nearest name unless `value` is one of `known_names`.
void require_known(const RunField& field, const std::string& kind, const std::string& value);

bool is_external(const std::string& strategy);        // "exec:PROGRAM"
std::string planner_of(const std::string& external);  // "PROGRAM"

// Splits "a,b:x=1,y=2,c,d:3,4" into "a", "b:x=1,y=2", "c", "d:3,4": a piece with '=' before any ':'
// and a size belong to the value on their left, if that has a ':'.
std::vector<std::string> split_values(const std::string& text);

// One "--set STRATEGY.OPTION=VALUE", or an entry of the key `set` of a suite.
struct OptionSetting {
  std::string strategy, option, value;
};
// Throws UserError: form, strategy, option and value are all checked against the registry.
OptionSetting parse_setting(const std::string& text);

// Options that differ from the defaults, and all of an external planner; throws UserError for a bad
// name or value.
std::map<std::string, std::string> changed_options(
    const std::string& strategy, const std::map<std::string, std::string>& options);

}  // namespace cpbench
