#include "harness/run/outcome.h"

#include <algorithm>

#include "harness/plan/text_hash.h"
#include "harness/spec/run_fields.h"
#include "harness/store/shell_text.h"

namespace cpbench {

namespace {

// Packs may differ in what they report, such as the groups of each degree: what a pack does not
// report is 0.
std::vector<ReportedValue> mean_properties(const std::vector<PackResult>& packs) {
  std::vector<ReportedValue> means;
  for (const PackResult& pack : packs) {
    for (const ReportedValue& property : pack.properties) {
      auto mean = std::ranges::find(means, property.name, &ReportedValue::name);
      if (mean == means.end()) mean = means.insert(mean, {property.name, 0, property.unit});
      mean->value += property.value / static_cast<double>(packs.size());
    }
  }
  return means;
}

}  // namespace

const double* Outcome::metric(const std::string& name) const {
  const auto found = std::ranges::find(metrics, name, &MetricValue::name);
  return found == metrics.end() ? nullptr : &found->value;
}

const ReportedValue* Outcome::property(const std::string& name) const {
  const auto found = std::ranges::find(properties, name, &ReportedValue::name);
  return found == properties.end() ? nullptr : &*found;
}

Outcome outcome_of(const Result& result, const std::string& file, bool existed) {
  Outcome outcome;
  outcome.spec = result.spec;
  outcome.status = result.status;
  outcome.error = result.error;
  outcome.file = file;
  outcome.existed = existed;
  outcome.oversubscribed = result.oversubscribed;
  outcome.simulated = result.simulated;
  outcome.model_error = result.model_error;
  outcome.metrics = result.metrics;
  for (const PackResult& pack : result.packs) {
    if (!outcome.plan_hash.empty()) outcome.plan_hash += "+";
    outcome.plan_hash += hex16(pack.summary.hash);
  }
  outcome.properties = mean_properties(result.packs);
  return outcome;
}

std::string command_of(const RunSpec& spec) {
  std::vector<std::string> words = {"cpbench", "run"};
  for (const RunField& field : run_fields()) {
    const std::string value = field_text(field, spec);
    if (!value.empty()) words.insert(words.end(), {"--" + std::string(field.name), value});
  }
  for (const auto& [name, value] : spec.options) {
    words.insert(words.end(), {"--set", spec.strategy + "." + name + "=" + value});
  }
  return shell_text(words);
}

}  // namespace cpbench
