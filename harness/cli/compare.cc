#include "harness/cli/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "harness/cli/result_files.h"
#include "harness/plan/errors.h"
#include "harness/run/choices.h"
#include "harness/store/result_file.h"

namespace cpbench {

namespace {

std::string get(const ComparedResult& result, const char* key) {
  const auto found = result.provenance.find(key);
  return found == result.provenance.end() ? "" : found->second;
}

std::set<std::string> values_of(const Side& side, const RunField& field) {
  std::set<std::string> values;
  for (const ComparedResult& result : side.results) {
    values.insert(field_text(field, result.outcome.spec));
  }
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

// Takes the pairs whose cells have the same key, if it is the only one of its key on either side.
template <typename Key>
void pair_by(Comparison& c, Key key_of) {
  std::map<std::string, std::pair<std::vector<size_t>, std::vector<size_t>>> found;
  for (size_t i : c.only_a) found[key_of(c.a.results[i].outcome.spec)].first.push_back(i);
  for (size_t i : c.only_b) found[key_of(c.b.results[i].outcome.spec)].second.push_back(i);
  for (const auto& [key, indices] : found) {
    const auto& [of_a, of_b] = indices;
    if (of_a.size() != 1 || of_b.size() != 1) continue;
    c.pairs.emplace_back(of_a.front(), of_b.front());
    std::erase(c.only_a, of_a.front());
    std::erase(c.only_b, of_b.front());
  }
}

// Machines that measured the pairs, as "16 x Xeon".
std::set<std::string> machines_of(const Comparison& c, bool of_a, bool words) {
  std::set<std::string> machines;
  for (const auto& [i, k] : c.pairs) {
    const ComparedResult& result = of_a ? c.a.results[i] : c.b.results[k];
    if (source_of(result.outcome) != "measured") continue;
    machines.insert(words ? get(result, "cores") + " cores of " + get(result, "cpu_model")
                          : get(result, "machine"));
  }
  return machines;
}

template <typename Test>
size_t count_pairs(const Comparison& c, Test test) {
  return std::count_if(c.pairs.begin(), c.pairs.end(), [&](const auto& pair) {
    return test(c.a.results[pair.first]) || test(c.b.results[pair.second]);
  });
}

}  // namespace

Side read_side(const std::string& path) {
  Side side{path, {}};
  std::map<std::string, std::string> seen;
  for (const std::string& file : result_files(path)) {
    const Result result = read_result(file);
    const auto [at, is_new] = seen.emplace(run_id(result.spec), file);
    if (!is_new) {
      throw UserError(path + ": the same run twice: " + at->second + " and " + file +
                      "; compare folders that hold it once");
    }
    side.results.push_back({outcome_of(result, file, false), result.provenance});
  }
  std::stable_sort(side.results.begin(), side.results.end(),
                   [](const ComparedResult& x, const ComparedResult& y) {
                     const auto key = [](const RunSpec& c) {
                       return std::tuple(c.ranks, c.tokens, c.workload, c.strategy);
                     };
                     return key(x.outcome.spec) < key(y.outcome.spec);
                   });
  return side;
}

Comparison compare(Side a, Side b) {
  Comparison c{std::move(a), std::move(b), {}, {}, {}};
  for (size_t i = 0; i < c.a.results.size(); ++i) c.only_a.push_back(i);
  for (size_t i = 0; i < c.b.results.size(); ++i) c.only_b.push_back(i);
  pair_by(c, run_id);
  pair_by(c, computation_key);
  if (c.pairs.empty()) refuse_strangers(c.a, c.b);
  std::sort(c.pairs.begin(), c.pairs.end());
  return c;
}

std::string source_of(const Outcome& outcome) {
  if (outcome.spec.backend == "plan") return "planned";
  return outcome.simulated || outcome.spec.backend == "simulate" ? "simulated" : "measured";
}

std::string source_of(const Side& side) {
  std::set<std::string> sources;
  for (const ComparedResult& result : side.results) sources.insert(source_of(result.outcome));
  return sources.size() == 1 ? *sources.begin() : "mixed";
}

std::vector<std::string> cautions(const Comparison& c) {
  std::vector<std::string> lines;
  const auto of_a = machines_of(c, true, false), of_b = machines_of(c, false, false);
  if (!of_a.empty() && !of_b.empty() && (of_a != of_b || of_a.size() > 1)) {
    lines.push_back(fmt::format(
        "measured on different machines (A: {}; B: {}): ratios of times compare the machines too",
        fmt::join(machines_of(c, true, true), ", "), fmt::join(machines_of(c, false, true), ", ")));
  }
  const size_t mixed = std::count_if(c.pairs.begin(), c.pairs.end(), [&](const auto& pair) {
    const std::set<std::string> sources = {source_of(c.a.results[pair.first].outcome),
                                           source_of(c.b.results[pair.second].outcome)};
    return sources == std::set<std::string>{"measured", "simulated"};
  });
  if (mixed > 0) {
    lines.push_back(fmt::format(
        "in {} of {} pairs one side is measured and the other simulated: ratios of their times "
        "are those of clock and model",
        mixed, c.pairs.size()));
  }
  if (const size_t n = count_pairs(c, [](const auto& r) { return r.outcome.oversubscribed; })) {
    lines.push_back(
        fmt::format("{} of {} pairs ran with more ranks than cores: their times say "
                    "little",
                    n, c.pairs.size()));
  }
  if (count_pairs(c, [](const auto& r) {
        return source_of(r.outcome) == "measured" && get(r, "debug_build") == "yes";
      })) {
    lines.push_back("some runs are of a build that is not optimised: their times mean nothing");
  }
  return lines;
}

}  // namespace cpbench
