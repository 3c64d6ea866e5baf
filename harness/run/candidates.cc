#include "harness/run/candidates.h"

#include <algorithm>

#include "harness/plan/errors.h"
#include "harness/run/choices.h"
#include "harness/run/resolve.h"
#include "harness/strategy/strategy.h"

namespace cpbench {
namespace {

using Set = std::map<std::string, std::string>;

std::string text_of(const std::string& strategy, const Set& options) {
  RunSpec spec;
  spec.strategy = strategy;
  spec.options = changed_options(strategy, options);
  return strategy_text(spec);
}

// All combinations of the grid's values and the defaults, without options of `given`.
std::vector<Set> combinations(const Strategy& strategy, const Set& given) {
  std::vector<Set> sets = {given};
  for (const OptionGrid& grid : strategy.tuning) {
    if (given.contains(grid.option)) continue;
    std::vector<Set> grown = sets;  // the default
    for (const std::string& value : grid.values) {
      for (Set set : sets) {
        set[grid.option] = value;
        grown.push_back(std::move(set));
      }
    }
    sets = std::move(grown);
  }
  return sets;
}

// What --set gives to a strategy.
Set settings_of(const Product& product, const std::string& strategy) {
  Set set;
  at_origin(product.settings.origin, [&] {
    for (const std::string& text : product.settings.values) {
      const OptionSetting setting = parse_setting(text);
      if (setting.strategy == strategy) set[setting.option] = setting.value;
    }
  });
  return set;
}

}  // namespace

Candidates candidates_of(const Product& product) {
  Candidates candidates;
  const auto found = product.fields.find("strategy");
  if (found == product.fields.end()) return candidates;  // jobs_of says that it is missing
  std::vector<std::string> given = found->second.values;
  if (given == std::vector<std::string>{"all"}) given = known_names(*find_run_field("strategy"));
  at_origin(found->second.origin, [&] {
    for (const std::string& value : given) {
      RunSpec spec;
      spec.strategy = value;
      split_strategy(spec);
      if (is_external(spec.strategy)) {
        candidates.values.push_back(value);
        continue;
      }
      Set options = spec.options;  // wins over --set
      options.merge(settings_of(product, spec.strategy));
      const std::string base = text_of(spec.strategy, options);
      for (const Set& set : combinations(find_strategy(spec.strategy), options)) {
        const std::string text = text_of(spec.strategy, set);
        if (candidates.bases[text].empty()) candidates.values.push_back(text);
        candidates.bases[text].insert(base);
      }
    }
  });
  return candidates;
}

}  // namespace cpbench
