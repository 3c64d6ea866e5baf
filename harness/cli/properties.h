// What strategies report about their plans, as columns, rows and JSON.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "harness/cli/table.h"
#include "harness/run/outcome.h"

namespace cpbench {

// Before the name of a property where it stands among metrics: "property.groups".
inline constexpr const char* kPropertyPrefix = "property.";

// The names of what runs report, each once, in the order in which they come.
std::vector<std::string> property_names(const std::vector<Outcome>& outcomes);

// "property.groups" -> "groups". Throws UserError, with the nearest name, if no run reports it.
std::string property_of_column(const std::string& key, const std::vector<Outcome>& outcomes);

// For people: one row each.
Table properties_table(const std::string& strategy, const std::vector<ReportedValue>& properties);

// {"groups": {"value": 5, "unit": ""}}
nlohmann::ordered_json properties_json(const std::vector<ReportedValue>& properties);

}  // namespace cpbench
