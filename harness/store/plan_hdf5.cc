#include "harness/store/plan_hdf5.h"

#include <fmt/format.h>

#include <limits>

#include "harness/plan/errors.h"
#include "harness/plan/names.h"
#include "harness/plan/problem_fields.h"
#include "harness/plan/text_hash.h"
#include "harness/store/hdf5_table.h"

namespace cpbench {
namespace {

constexpr int64_t kMaxInt32 = std::numeric_limits<int32_t>::max();
constexpr int64_t kMaxInt64 = std::numeric_limits<int64_t>::max();

void write_sets(Hdf5Writer& file, const std::string& group, const RangeSets& sets,
                const std::string& units) {
  std::vector<int64_t> first{0}, begin, end;
  for (SetId id = 0; id < sets.count(); ++id) {
    for (const Range& range : sets[id]) {
      begin.push_back(range.begin);
      end.push_back(range.end);
    }
    first.push_back(std::ssize(begin));
  }
  file.group(group);
  file.write(group + "/first", first, {std::ssize(first)}, "1");
  file.write(group + "/begin", begin, {std::ssize(begin)}, units);
  file.write(group + "/end", end, {std::ssize(end)}, units);
}

RangeSets read_sets(const Hdf5Reader& file, const std::string& group) {
  const auto begin = file.read<int64_t>(group + "/begin", {kAnyLength});
  const auto end = file.read<int64_t>(group + "/end", {std::ssize(begin)});
  const auto first = file.read<int64_t>(group + "/first", {kAnyLength});
  auto bad = [&](size_t set, const std::string& why) {
    file.fail(fmt::format("{}: set {} {}", group, set, why));
  };
  if (first.size() < 2 || first.front() != 0 || first.back() != std::ssize(begin)) {
    file.fail(fmt::format("{}/first must start with 0 and end with {}", group, begin.size()));
  }
  RangeSets sets;
  for (size_t set = 0; set + 1 < first.size(); ++set) {
    if (first[set + 1] < first[set] || first[set + 1] > first.back()) {
      bad(set, "ends before it begins");
    }
    Ranges ranges;
    for (int64_t i = first[set]; i < first[set + 1]; ++i) ranges.push_back({begin[i], end[i]});
    if (set == 0 && !ranges.empty()) bad(set, "must be empty");
    if (!is_normal(ranges)) bad(set, "is not sorted, disjoint and joined ranges");
    if (!ranges.empty() && ranges.front().begin < 0) bad(set, "has a negative member");
    if (sets.intern(ranges) != static_cast<SetId>(set)) bad(set, "repeats another set");
  }
  return sets;
}

int32_t small_attribute(const Hdf5Reader& file, const std::string& object, const std::string& name,
                        int64_t minimum) {
  return static_cast<int32_t>(integer_attribute(file, object, name, minimum, kMaxInt32));
}

void write_pass(Hdf5Writer& file, const std::string& group, const Pass& pass) {
  file.group(group);
  file.attribute(group, "steps", std::to_string(pass.steps));
  file.attribute(group, "lookahead", std::to_string(pass.lookahead));
  write_table(file, group + "/attends", pass.attends);
  write_table(file, group + "/sends", pass.sends);
  write_table(file, group + "/collectives", pass.collectives);
}

Pass read_pass(const Hdf5Reader& file, const std::string& group) {
  return {.steps = small_attribute(file, group, "steps", 0),
          .lookahead = small_attribute(file, group, "lookahead", 0),
          .attends = read_table<Attend>(file, group + "/attends"),
          .sends = read_table<Send>(file, group + "/sends"),
          .collectives = read_table<Collective>(file, group + "/collectives")};
}

// "on" or "off".
bool is_on(const Hdf5Reader& file, const std::string& group, const std::string& name) {
  const std::string text = file.attribute(group, name);
  if (text != "on" && text != "off") {
    file.fail(fmt::format("{}@{} is '{}'; must be on or off", group, name, text));
  }
  return text == "on";
}

// Counts and words of a problem are attributes of its group, rates are datasets.
auto writer(Hdf5Writer& file, const std::string& group) {
  return [&](const std::string& name, const auto& value) {
    using Value = std::remove_cvref_t<decltype(value)>;
    if constexpr (std::is_same_v<Value, double>) {
      file.scalar(group + "/" + name, value, units_of(name));
    } else if constexpr (std::is_enum_v<Value>) {
      file.attribute(group, name, name_of(value));
    } else if constexpr (std::is_same_v<Value, bool>) {
      file.attribute(group, name, value ? "on" : "off");
    } else {
      file.attribute(group, name, std::to_string(value));
    }
  };
}

auto reader(const Hdf5Reader& file, const std::string& group) {
  return [&](const std::string& name, auto& value) {
    using Value = std::remove_cvref_t<decltype(value)>;
    if (may_be_missing(name) && !file.attributes(group).contains(name)) return;
    if constexpr (std::is_same_v<Value, double>) {
      value = file.scalar<double>(group + "/" + name);
    } else if constexpr (std::is_enum_v<Value>) {
      value = named_attribute<Value>(file, group, name);
    } else if constexpr (std::is_same_v<Value, bool>) {
      value = is_on(file, group, name);
    } else {
      value = static_cast<Value>(
          integer_attribute(file, group, name, 0, std::numeric_limits<Value>::max()));
    }
  };
}

}  // namespace

void write_problem(Hdf5Writer& file, const std::string& group, const Problem& problem) {
  const Batch& batch = problem.batch;
  file.group(group);
  file.write(group + "/document_lengths", batch.document_lengths,
             {std::ssize(batch.document_lengths)}, "tokens");
  file.write(group + "/cached_tokens", batch.cached_tokens, {std::ssize(batch.cached_tokens)},
             "tokens");
  const std::vector<int64_t> parents(batch.parents.begin(), batch.parents.end());
  file.write(group + "/parents", parents, {std::ssize(parents)}, "1");
  write_table(file, group + "/rules", batch.rules);
  file.attribute(group, "mask", name_of(batch.mask));
  file.attribute(group, "window", std::to_string(batch.window));
  file.attribute(group, "cluster", problem.cluster.name);
  visit_fields(problem.shape, writer(file, group));
  visit_fields(problem.cluster, writer(file, group));
}

Problem read_problem(const Hdf5Reader& file, const std::string& group) {
  Problem problem;
  Batch& batch = problem.batch;
  batch.document_lengths = file.read<int64_t>(group + "/document_lengths", {kAnyLength});
  if (file.has(group + "/cached_tokens")) {  // since schema 1.1.0
    batch.cached_tokens = file.read<int64_t>(group + "/cached_tokens", {kAnyLength});
  }
  if (file.has(group + "/parents")) {  // since schema 1.6.0
    const std::string parents = group + "/parents";
    for (int64_t parent : file.read<int64_t>(parents, {kAnyLength})) {
      batch.parents.push_back(value_of<int32_t>(file, parents, batch.parents.size(), parent));
    }
    batch.rules = read_table<DocumentRule>(file, group + "/rules");
  }
  batch.mask = named_attribute<Mask>(file, group, "mask");
  batch.window = integer_attribute(file, group, "window", 0, kMaxInt64);
  problem.cluster.name = file.attribute(group, "cluster");
  visit_fields(problem.shape, reader(file, group));
  visit_fields(problem.cluster, reader(file, group));
  try {
    validate(problem);
  } catch (const UserError& error) {
    file.fail(group + ": " + error.what());
  }
  return problem;
}

void write_plan(Hdf5Writer& file, const std::string& group, const Plan& plan) {
  file.group(group);
  file.attribute(group, "hash", hex16(hash_of(plan)));
  file.attribute(group, "ranks", std::to_string(plan.ranks));
  file.attribute(group, "tokens", std::to_string(plan.tokens));
  file.attribute(group, "query_heads", std::to_string(plan.query_heads));
  file.attribute(group, "gradient_wire", name_of(plan.gradient_wire));
  write_sets(file, group + "/token_sets", plan.token_sets, "tokens");
  write_sets(file, group + "/rank_sets", plan.rank_sets, "1");
  file.write(group + "/home", std::vector<int64_t>(plan.home.begin(), plan.home.end()),
             {std::ssize(plan.home)}, "1");
  write_pass(file, group + "/forward", plan.forward);
  write_pass(file, group + "/backward", plan.backward);
  write_table(file, group + "/keep", plan.keep);
}

Plan read_plan(const Hdf5Reader& file, const std::string& group) {
  Plan plan;
  plan.ranks = small_attribute(file, group, "ranks", 1);
  plan.tokens = integer_attribute(file, group, "tokens", 1, kMaxInt64);
  plan.query_heads = small_attribute(file, group, "query_heads", 1);
  plan.gradient_wire = named_attribute<GradientWire>(file, group, "gradient_wire");
  plan.token_sets = read_sets(file, group + "/token_sets");
  plan.rank_sets = read_sets(file, group + "/rank_sets");
  const std::string home = group + "/home";
  for (int64_t set : file.read<int64_t>(home, {kAnyLength})) {
    plan.home.push_back(value_of<SetId>(file, home, plan.home.size(), set));
  }
  plan.forward = read_pass(file, group + "/forward");
  plan.backward = read_pass(file, group + "/backward");
  plan.keep = read_table<Keep>(file, group + "/keep");
  const auto attributes = file.attributes(group);
  const auto stored = attributes.find("hash");
  const std::string found = hex16(hash_of(plan));
  if (stored != attributes.end() && stored->second != found) {
    file.fail(fmt::format("{}@hash is {}, but the columns' hash is {}; correct it or leave it out",
                          group, stored->second, found));
  }
  return plan;
}

}  // namespace cpbench
