#include "harness/strategy/strategy.h"

#include "harness/plan/nearest.h"

namespace cpbench {

std::vector<OptionSpec> all_options_of(const Strategy& strategy) {
  std::vector<OptionSpec> options = strategy.options;
  if (strategy.moves_keys) {
    options.push_back(choice_option(
        "kv", "heads",
        "send K, V of all heads, or with multi-head latent attention the latents of which "
        "receivers make them; only in plans and simulations",
        {"heads", "latent"}));
  }
  return options;
}

const Strategy& find_strategy(const std::string& name) {
  std::vector<std::string> known;
  for (const Strategy* strategy : strategies()) {
    if (strategy->name == name) return *strategy;
    known.push_back(strategy->name);
  }
  throw UserError(unknown_name("strategy", name, known));
}

}  // namespace cpbench
