#include "harness/machines/whole_runs.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <regex>
#include <vector>

#include "harness/plan/names.h"
#include "harness/presets/presets.h"
#include "harness/presets/toml_file.h"

namespace cpbench {
namespace {

struct Family {  // strategies that move data alike
  std::string name;
  std::vector<std::string> strategies;
};
struct Error {
  std::vector<std::string> profiles;
  std::string family;
  bool documents = false;
  double mean = 0;   // of the absolute relative error of the time
  double worst = 0;  // signed
};
struct WholeRuns {
  std::vector<std::string> clusters;
  std::vector<int64_t> ranks;
  std::vector<Family> families;
  std::vector<Error> errors;
};

template <typename Value>
std::vector<Value> list_of(const toml::table& table, const char* key) {
  std::vector<Value> values;
  for (const toml::node& node : *table[key].as_array()) values.push_back(*node.value<Value>());
  return values;
}

// The shipped file; a test reads it, so it is not checked here.
const WholeRuns& whole_runs() {
  static const WholeRuns all = [] {
    const Preset file = find_preset(PresetKind::errors, "whole_runs");
    const toml::table table = parse_toml(file.place, file.text);
    WholeRuns runs{
        list_of<std::string>(table, "clusters"), list_of<int64_t>(table, "ranks"), {}, {}};
    for (const toml::node& node : *table["family"].as_array()) {
      const toml::table& row = *node.as_table();
      runs.families.push_back(
          {*row["name"].value<std::string>(), list_of<std::string>(row, "strategies")});
    }
    for (const toml::node& node : *table["error"].as_array()) {
      const toml::table& row = *node.as_table();
      runs.errors.push_back({list_of<std::string>(row, "profiles"),
                             *row["family"].value<std::string>(), *row["documents"].value<bool>(),
                             *row["mean"].value<double>(), *row["worst"].value<double>()});
    }
    return runs;
  }();
  return all;
}

template <typename Value>
bool has(const std::vector<Value>& values, const Value& value) {
  return std::ranges::find(values, value) != values.end();
}

std::string error_of_kind(const SimulatedRun& run) {
  const WholeRuns& all = whole_runs();
  const std::string strategy = run.ranks == 1 ? "one GPU" : run.strategy;
  const auto family = std::ranges::find_if(
      all.families, [&](const Family& each) { return has(each.strategies, strategy); });
  if (family == all.families.end()) return "no published run of " + run.strategy;
  const auto error = std::ranges::find_if(all.errors, [&](const Error& each) {
    return has(each.profiles, run.profile) && each.family == family->name &&
           each.documents == run.documents;
  });
  const std::string kind =
      fmt::format("kind {} on {}", family->name, run.documents ? "documents" : "one document");
  if (error == all.errors.end()) {
    return fmt::format("no published run of {} with profile {}", kind, run.profile);
  }
  return fmt::format("whole runs of {}: mean error {:.0f}%, worst {:.0f}%", kind, 100 * error->mean,
                     100 * std::abs(error->worst));
}

}  // namespace

std::string whole_run_error(const SimulatedRun& run) {
  const WholeRuns& all = whole_runs();
  const int64_t most_ranks = std::ranges::max(all.ranks);
  std::string text = error_of_kind(run);
  // Each is a part of its own, so that runs of one table share it.
  const auto not_covered = [&](const std::string& what) { text += "; no published run " + what; };
  if (!has(all.clusters, run.cluster)) not_covered("on " + run.cluster);
  if (run.ranks > most_ranks) {
    not_covered(fmt::format("with more than {} ranks", most_ranks));
  } else if (!has(all.ranks, int64_t{run.ranks})) {
    not_covered(fmt::format("with {} ranks", run.ranks));
  }
  if (run.nodes > 1) not_covered("on several nodes");
  if (run.mask != Mask::document_causal && run.mask != Mask::causal) {
    not_covered(std::string("with mask ") + name_of(run.mask));
  }
  return text;
}

double mean_error_of(const std::string& text) {
  static const std::regex stated("mean error (\\d+)%");
  std::smatch found;
  if (std::regex_search(text, found, stated)) return std::stod(found[1]) / 100;
  return std::ranges::max(whole_runs().errors, {}, &Error::mean).mean;
}

}  // namespace cpbench
