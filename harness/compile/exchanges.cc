#include "harness/compile/exchanges.h"

namespace cpbench {

Exchanges::Exchanges(const Plan& plan)
    : lookahead{plan.forward.lookahead, plan.backward.lookahead} {
  for (int32_t number : {0, 1}) {
    const std::vector<Send>& sends = (number == 0 ? plan.forward : plan.backward).sends;
    for (size_t i = 0; i < sends.size(); ++i) {
      const bool next = i == 0 || sends[i - 1].step != sends[i].step ||
                        sends[i - 1].substage != sends[i].substage;
      if (next) all.push_back({number, sends[i].step, sends[i].substage});
      of_send[number].push_back(static_cast<int32_t>(all.size()) - 1);
    }
  }
}

}  // namespace cpbench
