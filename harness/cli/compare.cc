#include "harness/cli/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "harness/plan/errors.h"
#include "harness/run/choices.h"

namespace cpbench {

namespace {

std::set<std::string> values_of(const Side& side, const RunField& field) {
  std::set<std::string> values;
  for (const StoredRun& run : side.runs) values.insert(field_text(field, run.outcome.spec));
  return values;
}

[[noreturn]] void refuse_strangers(const Side& a, const Side& b) {
  std::string differ;
  for (const RunField& field : run_fields()) {
    const std::set<std::string> of_a = values_of(a, field), of_b = values_of(b, field);
    std::set<std::string> common;
    std::set_intersection(of_a.begin(), of_a.end(), of_b.begin(), of_b.end(),
                          std::inserter(common, common.end()));
    if (!common.empty()) continue;
    differ += fmt::format("{}{} ({} / {})", differ.empty() ? "" : ", ", field.name,
                          fmt::join(of_a, ","), fmt::join(of_b, ","));
  }
  throw UserError(a.path + " and " + b.path + " have no run in common" +
                  (differ.empty() ? "" : "; they differ in " + differ));
}

// Pairs runs with the same key if each side has one run with it.
template <typename Key>
void pair_by(Comparison& c, Key key_of) {
  std::map<std::string, std::pair<std::vector<size_t>, std::vector<size_t>>> found;
  for (size_t i : c.only_a) found[key_of(c.a.runs[i].outcome.spec)].first.push_back(i);
  for (size_t i : c.only_b) found[key_of(c.b.runs[i].outcome.spec)].second.push_back(i);
  for (const auto& [key, indices] : found) {
    const auto& [of_a, of_b] = indices;
    if (of_a.size() != 1 || of_b.size() != 1) continue;
    c.pairs.emplace_back(of_a.front(), of_b.front());
    std::erase(c.only_a, of_a.front());
    std::erase(c.only_b, of_b.front());
  }
}

// The machines that measured the pairs, by fingerprint or as "16 cores of Xeon".
std::set<std::string> machines_of(const Comparison& c, bool of_a, bool words) {
  std::set<std::string> machines;
  for (const auto& [i, k] : c.pairs) {
    const StoredRun& run = of_a ? c.a.runs[i] : c.b.runs[k];
    if (source_of(run.outcome) != "measured") continue;
    machines.insert(words ? provenance_of(run, "cores") + " cores of " +
                                provenance_of(run, "cpu_model")
                          : provenance_of(run, "machine"));
  }
  return machines;
}

template <typename Test>
size_t count_pairs(const Comparison& c, Test test) {
  return std::count_if(c.pairs.begin(), c.pairs.end(), [&](const auto& pair) {
    return test(c.a.runs[pair.first]) || test(c.b.runs[pair.second]);
  });
}

}  // namespace

Side read_side(const std::string& path) {
  Side side{path, read_runs(path)};
  std::map<std::string, std::string> seen;  // by run id, the file
  for (const StoredRun& run : side.runs) {
    const auto [at, is_new] = seen.emplace(run_id(run.outcome.spec), run.outcome.file);
    if (is_new) continue;
    throw UserError(path + ": has the same run twice, in " + at->second + " and " +
                    run.outcome.file + "; compare folders that have it once");
  }
  return side;
}

Comparison compare(Side a, Side b) {
  Comparison c{std::move(a), std::move(b), {}, {}, {}};
  for (size_t i = 0; i < c.a.runs.size(); ++i) c.only_a.push_back(i);
  for (size_t i = 0; i < c.b.runs.size(); ++i) c.only_b.push_back(i);
  pair_by(c, run_id);
  pair_by(c, computation_key);
  if (c.pairs.empty()) refuse_strangers(c.a, c.b);
  std::sort(c.pairs.begin(), c.pairs.end());
  return c;
}

std::string source_of(const Side& side) {
  std::set<std::string> sources;
  for (const StoredRun& run : side.runs) sources.insert(source_of(run.outcome));
  return sources.size() == 1 ? *sources.begin() : "mixed";
}

std::vector<std::string> cautions(const Comparison& c) {
  std::vector<std::string> lines;
  const auto of_a = machines_of(c, true, false), of_b = machines_of(c, false, false);
  if (!of_a.empty() && !of_b.empty() && (of_a != of_b || of_a.size() > 1)) {
    lines.push_back(fmt::format(
        "A and B were measured on different machines (A: {}; B: {}), so ratios of times compare "
        "the machines too",
        fmt::join(machines_of(c, true, true), ", "), fmt::join(machines_of(c, false, true), ", ")));
  }
  const size_t mixed = std::count_if(c.pairs.begin(), c.pairs.end(), [&](const auto& pair) {
    const std::set<std::string> sources = {source_of(c.a.runs[pair.first].outcome),
                                           source_of(c.b.runs[pair.second].outcome)};
    return sources == std::set<std::string>{"measured", "simulated"};
  });
  if (mixed > 0) {
    lines.push_back(fmt::format(
        "in {} of {} pairs one side is measured and the other simulated, so ratios of their times "
        "compare a measurement with a model",
        mixed, c.pairs.size()));
  }
  if (const size_t n = count_pairs(c, [](const auto& r) { return r.outcome.oversubscribed; })) {
    lines.push_back(fmt::format(
        "{} of {} pairs ran with more ranks than cores, so their timings are unreliable", n,
        c.pairs.size()));
  }
  if (count_pairs(c, [](const auto& r) {
        return source_of(r.outcome) == "measured" && provenance_of(r, "debug_build") == "yes";
      })) {
    lines.push_back(
        "some runs were measured with a build that is not optimised, so their timings are not "
        "meaningful");
  }
  return lines;
}

}  // namespace cpbench
