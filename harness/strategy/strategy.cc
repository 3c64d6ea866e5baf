#include "harness/strategy/strategy.h"

#include "harness/plan/nearest.h"

namespace cpbench {

const Strategy& find_strategy(const std::string& name) {
  std::vector<std::string> known;
  for (const Strategy* strategy : strategies()) {
    if (strategy->name == name) return *strategy;
    known.push_back(strategy->name);
  }
  throw UserError(unknown_name("strategy", name, known));
}

}  // namespace cpbench
