#include "harness/cli/properties.h"

#include <algorithm>
#include <cstring>

#include "harness/cli/human.h"
#include "harness/cli/json_number.h"
#include "harness/plan/errors.h"
#include "harness/plan/nearest.h"

namespace cpbench {

std::vector<std::string> property_names(const std::vector<Outcome>& outcomes) {
  std::vector<std::string> names;
  for (const Outcome& outcome : outcomes) {
    for (const ReportedValue& property : outcome.properties) {
      if (std::ranges::find(names, property.name) == names.end()) names.push_back(property.name);
    }
  }
  return names;
}

std::string property_of_column(const std::string& key, const std::vector<Outcome>& outcomes) {
  const std::string name = key.substr(std::strlen(kPropertyPrefix));
  const std::vector<std::string> names = property_names(outcomes);
  if (std::ranges::find(names, name) != names.end()) return name;
  throw UserError("--columns: " + (names.empty() ? "no strategy of these runs reports properties"
                                                 : unknown_name("property", name, names)));
}

Table properties_table(const std::string& strategy, const std::vector<ReportedValue>& properties) {
  Table table{{{"reported by " + strategy}, {"value", true}}, {}};
  for (const ReportedValue& property : properties) {
    table.rows.push_back({property.name, with_unit(property.value, property.unit)});
  }
  return table;
}

nlohmann::ordered_json properties_json(const std::vector<ReportedValue>& properties) {
  nlohmann::ordered_json object = nlohmann::ordered_json::object();
  for (const ReportedValue& property : properties) {
    object[property.name] = {{"value", json_number(property.value)}, {"unit", property.unit}};
  }
  return object;
}

}  // namespace cpbench
