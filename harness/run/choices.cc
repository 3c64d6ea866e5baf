#include "harness/run/choices.h"

#include <algorithm>
#include <cctype>
#include <set>

#include "harness/plan/errors.h"
#include "harness/plan/nearest.h"
#include "harness/presets/presets.h"
#include "harness/run/backends.h"
#include "harness/strategy/strategy.h"
#include "workloads/workload.h"

namespace cpbench {
namespace {

constexpr const char* kExternal = "exec:";

template <typename Rows>
std::vector<std::string> names_in(const Rows& rows) {
  std::vector<std::string> names;
  for (const auto& row : rows) names.push_back(row.name);
  return names;
}

std::vector<std::string> strategy_names() {
  std::vector<std::string> names;
  for (const Strategy* strategy : strategies()) names.push_back(strategy->name);
  return names;
}

// Of all backends; `jobs_of` compares them with the run's.
std::vector<std::string> all_kernel_names() {
  std::set<std::string> names;
  for (const Backend& backend : backends()) {
    for (const std::string& name : kernels_of(backend)) names.insert(name);
  }
  return {names.begin(), names.end()};
}

bool is_size(const std::string& text) {
  return !text.empty() && std::isdigit(text.front()) &&
         text.find_first_not_of("0123456789KkMm") == std::string::npos;
}

}  // namespace

std::vector<std::string> known_names(const RunField& field) {
  const std::string name = field.name;
  if (name == "strategy") return strategy_names();
  if (name == "workload") return names_in(list_workloads());
  if (name == "packing") return names_in(packing_policies());
  if (name == "cluster") return preset_names(PresetKind::clusters);
  if (name == "shape") return preset_names(PresetKind::shapes);
  if (name == "backend") return names_in(backends());
  if (name == "kernel") return all_kernel_names();
  if (name == "network") return {"ports", "simgrid"};
  if (name == "profile") return preset_names(PresetKind::profiles);
  if (name == "layer") return {field.default_value, "attention", "module", "layer"};
  if (name == "plan_for") return {field.default_value, "sum"};
  if (name == "cta_policy") return {field.default_value, "efficiency"};
  return fixed_choices(field);
}

void require_known(const RunField& field, const std::string& kind, const std::string& value) {
  const std::vector<std::string> names = known_names(field);
  if (std::ranges::find(names, value) == names.end()) {
    throw UserError(unknown_name(kind, value, names));
  }
}

bool is_external(const std::string& strategy) { return strategy.starts_with(kExternal); }

std::string planner_of(const std::string& external) {
  return external.substr(std::string(kExternal).size());
}

std::vector<std::string> split_values(const std::string& text) {
  std::vector<std::string> values;
  size_t begin = 0;
  while (begin <= text.size()) {
    const size_t end = std::min(text.find(',', begin), text.size());
    const std::string piece = text.substr(begin, end - begin);
    const size_t equals = piece.find('=');
    const bool is_setting = equals != std::string::npos && piece.find(':') > equals;
    const bool continues = (is_setting || is_size(piece)) && !values.empty() &&
                           values.back().find(':') != std::string::npos;
    if (continues) {
      values.back() += "," + piece;
    } else if (!piece.empty()) {
      values.push_back(piece);
    }
    begin = end + 1;
  }
  return values;
}

OptionSetting parse_setting(const std::string& text) {
  const size_t dot = text.find('.');
  const size_t equals = text.find('=');
  if (dot == std::string::npos || equals == std::string::npos || dot > equals) {
    throw UserError("'" + text +
                    "' is not a valid setting; write STRATEGY.OPTION=VALUE, like "
                    "flashcp.ratio=1.05");
  }
  OptionSetting setting{text.substr(0, dot), text.substr(dot + 1, equals - dot - 1),
                        text.substr(equals + 1)};
  // Throws for what the strategy does not know.
  [[maybe_unused]] const Options checked(setting.strategy,
                                         all_options_of(find_strategy(setting.strategy)),
                                         {{setting.option, setting.value}});
  return setting;
}

std::map<std::string, std::string> changed_options(
    const std::string& strategy, const std::map<std::string, std::string>& options) {
  if (is_external(strategy)) return options;
  return Options(strategy, all_options_of(find_strategy(strategy)), options).changed_values();
}

}  // namespace cpbench
