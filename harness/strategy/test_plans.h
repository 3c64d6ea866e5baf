// What tests of strategies share, besides problems: plans, refusals, reported properties and
// planned bytes in one line.
#pragma once

#include <map>
#include <string>

#include "harness/plan/error_of_for_tests.h"
#include "harness/plan/plan.h"
#include "harness/plan/plan_bytes.h"
#include "harness/plan/test_problems.h"
#include "harness/strategy/strategy.h"

namespace cpbench {

using Settings = std::map<std::string, std::string>;  // option -> value; the others are defaults

inline Plan plan_of(const std::string& strategy, const Problem& problem, const Settings& set = {}) {
  const Strategy& s = find_strategy(strategy);
  return s.plan(problem, Options(s.name, s.options, set));
}

// Why the strategy does not support the problem; "" if it does.
inline std::string refusal(const std::string& strategy, const Problem& problem,
                           const Settings& set = {}) {
  return error_of<Unsupported>([&] { plan_of(strategy, problem, set); });
}

using Properties = std::map<std::string, double>;

inline Properties by_name(const std::vector<ReportedValue>& list) {
  Properties properties;
  for (const ReportedValue& property : list) properties[property.name] = property.value;
  return properties;
}

// What the strategy reports about its plan.
inline Properties properties_of(const std::string& strategy, const Problem& problem,
                                const Settings& set = {}) {
  const Strategy& s = find_strategy(strategy);
  return by_name(s.report(problem, Options(s.name, s.options, set)));
}
inline double property(const std::string& strategy, const Problem& problem, const std::string& name,
                       const Settings& set = {}) {
  return properties_of(strategy, problem, set).at(name);
}

// All bytes that cross between ranks in one pass, padding included.
inline int64_t planned_bytes(const Pass& pass, const Plan& plan, const AttentionShape& shape) {
  int64_t bytes = 0;
  for (const Send& send : pass.sends) bytes += cost_of(send, pass, plan, shape).total();
  return bytes;
}

// The same for both passes together.
inline int64_t planned_bytes(const Plan& plan, const AttentionShape& shape) {
  return planned_bytes(plan.forward, plan, shape) + planned_bytes(plan.backward, plan, shape);
}

}  // namespace cpbench
