// Reads the text form of a distribution, "name:key=value,...", by the table of distributions.cc.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "harness/plan/errors.h"
#include "harness/plan/nearest.h"
#include "harness/plan/shown.h"
#include "harness/plan/sizes.h"
#include "harness/presets/split_text.h"
#include "workloads/distributions.h"

namespace cpbench {
namespace {

const Parameter& find_parameter(const Distribution& distribution, const std::string& name) {
  std::vector<std::string> known;
  for (const Parameter& p : distribution.parameters) {
    if (p.name == name) return p;
    known.push_back(p.name);
  }
  throw UserError(unknown_name("parameter", name, known));
}

}  // namespace

void ParameterValues::set(const Parameter& parameter, const std::string& text) {
  if (parameter.kind == ParameterKind::tokens) {
    int64_t value = 0;
    try {
      value = parse_size(text);
    } catch (const UserError& error) {
      throw UserError(parameter.name + "=" + error.what());
    }
    if (value < 1 || value > kLongestDocument) {
      throw UserError(fmt::format("{}={}: must be from 1 to {} tokens", parameter.name, shown(text),
                                  size_text(kLongestDocument)));
    }
    tokens_[parameter.name] = value;
    return;
  }
  const auto value = number_of<double>(text);
  if (!value || !(*value >= parameter.minimum && *value <= parameter.maximum)) {
    throw UserError(fmt::format("{}={}: must be a number from {} to {}", parameter.name,
                                shown(text), parameter.minimum, parameter.maximum));
  }
  numbers_[parameter.name] = *value;
}

ParameterValues parse_parameters(const Distribution& distribution, const std::string& text) {
  ParameterValues values;
  for (const Parameter& p : distribution.parameters) values.set(p, p.default_value);
  const size_t colon = text.find(':');
  if (colon == std::string::npos) return values;
  std::set<std::string> given;
  for (const std::string& setting : split_text(text.substr(colon + 1), ',')) {
    const size_t equals = setting.find('=');
    if (equals == std::string::npos) {
      throw UserError(fmt::format("'{}' must be key=value", shown(setting)));
    }
    const std::string key = setting.substr(0, equals);
    values.set(find_parameter(distribution, key), setting.substr(equals + 1));
    if (!given.insert(key).second) throw UserError(fmt::format("'{}' is given twice", shown(key)));
  }
  return values;
}

Synthetic make_synthetic(const std::string& text) {
  const std::string name = text.substr(0, text.find(':'));
  auto found = std::find_if(distributions().begin(), distributions().end(),
                            [&](const Distribution& d) { return d.name == name; });
  if (found == distributions().end()) return {nullptr, nullptr};
  try {
    return {&*found, found->make(parse_parameters(*found, text))};
  } catch (const UserError& error) {
    throw UserError(fmt::format("workload '{}': {}", shown(text), error.what()));
  }
}

}  // namespace cpbench
