// From the lists of a suite to jobs: multiply out, resolve, drop repetitions.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "harness/plan/errors.h"
#include "harness/run/choices.h"
#include "harness/run/resolve.h"
#include "harness/strategy/strategy.h"

namespace cpbench {

namespace {

std::string origin_of(const Product& product, const std::string& field) {
  const auto found = product.fields.find(field);
  return found == product.fields.end() ? field : found->second.origin;
}

// Whether a profile is meant for the runs of one strategy: "zigzag=ring-flash-attention".
bool is_of_one_strategy(const std::string& profile) {
  return profile.find('=') < profile.find_first_of("/.");
}

// Whether the spec has a profile for its strategy: one that names it, or else one for all. The spec
// keeps only the profile's own name.
bool choose_profile(const Product& product, RunSpec& spec) {
  const auto given = product.fields.find("profile");
  if (given == product.fields.end()) return true;
  const std::string prefix = spec.strategy.substr(0, spec.strategy.find(':')) + "=";
  if (is_of_one_strategy(spec.profile)) {
    const size_t equals = spec.profile.find('=');
    at_origin(given->second.origin, [&] { find_strategy(spec.profile.substr(0, equals)); });
    if (!spec.profile.starts_with(prefix)) return false;
    spec.profile = spec.profile.substr(equals + 1);
    return true;
  }
  return std::ranges::none_of(given->second.values, [&](const std::string& profile) {
    return profile.starts_with(prefix);
  });
}

Values values_of(const Product& product, const RunField& field) {
  const std::string name = field.name;
  const auto found = product.fields.find(name);
  if (found == product.fields.end()) {
    if (name == "window" || *field.default_value != '\0') return {{field.default_value}, name};
    throw UserError("no " + name + " is given; name one with --" + name +
                    " or in a suite, see cpbench list " +
                    (name == "strategy" ? "strategies" : "workloads"));
  }
  Values values = found->second;
  // Where every profile is of one strategy, the others have the default.
  if (name == "profile" && std::ranges::all_of(values.values, is_of_one_strategy)) {
    values.values.emplace_back(field.default_value);
  }
  if (name == "strategy" && values.values == std::vector<std::string>{"all"}) {
    values.values = known_names(field);
  }
  return values;
}

std::vector<RunSpec> multiplied(const Product& product) {
  std::vector<Values> values_of_row;  // in the order of the table, so the first gap is named
  for (const RunField& field : run_fields()) values_of_row.push_back(values_of(product, field));
  std::vector<RunSpec> specs(1);
  // The first fields vary fastest, so that the strategies of one problem stand together.
  for (size_t row = run_fields().size(); row-- > 0;) {
    const RunField& field = run_fields()[row];
    const Values& values = values_of_row[row];
    std::vector<RunSpec> grown;
    for (const RunSpec& spec : specs) {
      for (const std::string& value : values.values) {
        RunSpec next = spec;
        if (value != field.default_value || *field.default_value != '\0') {
          at_origin(values.origin, [&] { set_field(field, next, value); });
        }
        grown.push_back(std::move(next));
      }
    }
    specs = std::move(grown);
  }
  return specs;
}

void apply_settings(const Product& product, RunSpec& spec) {
  const std::string name = spec.strategy.substr(0, spec.strategy.find(':'));
  for (const std::string& text : product.settings.values) {
    at_origin(product.settings.origin, [&] {
      const OptionSetting setting = parse_setting(text);
      if (setting.strategy == name) spec.options[setting.option] = setting.value;
    });
  }
}

void require_used(const Product& product, const std::vector<Job>& jobs) {
  for (const std::string& text : product.settings.values) {
    const std::string name = parse_setting(text).strategy;
    const bool used =
        std::ranges::any_of(jobs, [&](const Job& job) { return job.spec.strategy == name; });
    if (used) continue;
    throw UserError(product.settings.origin + ": '" + text + "' sets an option of " + name +
                    ", which is not among the strategies of this run");
  }
}

void require_window_used(const Suite& suite, const std::vector<Job>& jobs) {
  const auto has_window = [](const Job& job) {
    return std::ranges::any_of(job.masks, [](const LayerMask& m) { return m.rule.window > 0; });
  };
  if (std::ranges::any_of(jobs, has_window)) return;
  for (const Product& product : suite.products) {
    const auto window = product.fields.find("window");
    if (window == product.fields.end()) continue;
    throw UserError(window->second.origin +
                    ": no mask of these runs has a window; name one, like --mask sliding_window");
  }
}

}  // namespace

std::vector<Job> jobs_of(const Suite& suite) {
  Resolver resolver;
  std::vector<Job> jobs;
  std::set<std::string> seen;
  for (const Product& product : suite.products) {
    std::vector<Job> found;
    for (RunSpec& spec : multiplied(product)) {
      if (!choose_profile(product, spec)) continue;
      apply_settings(product, spec);
      found.push_back(
          resolver.resolve(std::move(spec), product.fields.contains("dtype"),
                           [&](const std::string& field) { return origin_of(product, field); }));
    }
    require_used(product, found);
    for (Job& job : found) {
      if (seen.insert(canonical_text(job.spec)).second) jobs.push_back(std::move(job));
    }
  }
  require_window_used(suite, jobs);
  return jobs;
}

}  // namespace cpbench
