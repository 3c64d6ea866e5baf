#include "harness/store/plan_json.h"

#include <optional>
#include <sstream>

#include "harness/plan/errors.h"
#include "harness/plan/names.h"
#include "harness/plan/problem_fields.h"
#include "harness/store/file_kind.h"
#include "harness/store/json_cursor.h"
#include "harness/store/named_fields.h"
#include "harness/store/result_file.h"

namespace cpbench {
namespace {

using Json = nlohmann::ordered_json;  // keeps the documented order of keys

template <typename Value>
Json json_of(const Value& value) {
  if constexpr (std::is_enum_v<Value>) {
    return name_of(value);
  } else {
    return value;
  }
}

Json to_json(const RangeSets& sets) {
  Json all = Json::array();
  for (SetId id = 0; id < sets.count(); ++id) {
    Json set = Json::array();
    for (const Range& range : sets[id]) set.push_back(Json::array({range.begin, range.end}));
    all.push_back(std::move(set));
  }
  return all;
}

// One array of the row's fields for each row.
template <typename Row>
Json to_json(const std::vector<Row>& rows) {
  Json all = Json::array();
  for (const Row& row : rows) {
    Json values = Json::array();
    for_each_field(row, [&](const char*, const auto& value) { values.push_back(json_of(value)); });
    all.push_back(std::move(values));
  }
  return all;
}

Json to_json(const Problem& problem) {
  const Batch& batch = problem.batch;
  Json shape, cluster = {{"name", problem.cluster.name}};
  visit_fields(problem.shape, [&](const char* name, auto value) { shape[name] = json_of(value); });
  visit_fields(problem.cluster,
               [&](const char* name, auto value) { cluster[name] = json_of(value); });
  return {{"batch",
           {{"document_lengths", batch.document_lengths},
            {"mask", name_of(batch.mask)},
            {"window", batch.window},
            {"cached_tokens", batch.cached_tokens},
            {"parents", batch.parents},
            {"rules", to_json(batch.rules)}}},
          {"shape", std::move(shape)},
          {"cluster", std::move(cluster)}};
}

Json to_json(const Pass& pass) {
  return {{"lookahead", pass.lookahead},
          {"attends", to_json(pass.attends)},
          {"sends", to_json(pass.sends)},
          {"collectives", to_json(pass.collectives)}};
}

Json to_json(const Plan& plan) {
  return {{"ranks", plan.ranks},
          {"tokens", plan.tokens},
          {"query_heads", plan.query_heads},
          {"gradient_wire", name_of(plan.gradient_wire)},
          {"token_sets", to_json(plan.token_sets)},
          {"rank_sets", to_json(plan.rank_sets)},
          {"home", plan.home},
          {"forward", to_json(plan.forward)},
          {"backward", to_json(plan.backward)},
          {"keep", to_json(plan.keep)}};
}

// A name that is not UTF-8 is no reason to fail: its bytes are replaced.
std::string text_of(const Json& document) {
  return document.dump(-1, ' ', false, Json::error_handler_t::replace);
}

template <typename Value>
void read_value(const JsonCursor& in, Value& value, int32_t minimum = 0) {
  if constexpr (std::is_enum_v<Value>) {
    value = in.named<Value>();
  } else if constexpr (std::is_same_v<Value, int32_t>) {
    value = in.small(minimum);
  } else if constexpr (std::is_same_v<Value, int64_t>) {
    value = in.integer(0);
  } else if constexpr (std::is_same_v<Value, bool>) {
    value = in.boolean();
  } else {
    value = in.number();
  }
}

// An object with the fields of a record, and the keys of `also`.
template <typename Record>
void read_record(const JsonCursor& in, std::set<std::string> also, Record& record) {
  std::set<std::string> optional;
  visit_fields(record, [&](const char* name, auto&) {
    (may_be_missing(name) ? optional : also).insert(name);
  });
  in.expect_keys(also, optional);
  visit_fields(record, [&](const char* name, auto& value) {
    if (in.has(name)) read_value(in.at(name), value, 1);
  });
}

template <typename Row>
std::vector<Row> read_rows(const JsonCursor& in) {
  std::vector<std::string> names;
  for_each_column<Row>([&](auto, const char* name) { names.emplace_back(name); });
  const std::string expected = fmt::format("{}", fmt::join(names, ", "));
  std::vector<Row> rows(in.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    const JsonCursor row = in.at(i);
    row.expect_size(names.size(), expected);
    size_t column = 0;
    for_each_field(rows[i], [&](std::string_view name, auto& value) {
      read_value(row.at(column++), value, name == "collective" ? -1 : 0);
    });
  }
  return rows;
}

Problem read_problem(const JsonCursor& in) {
  Problem problem;
  Batch& batch = problem.batch;
  in.expect_keys({"batch", "shape", "cluster"});
  const JsonCursor b = in.at("batch"), shape = in.at("shape"), cluster = in.at("cluster");
  b.expect_keys({"document_lengths", "mask", "window"}, {"cached_tokens", "parents", "rules"});
  const JsonCursor lengths = b.at("document_lengths");
  for (size_t i = 0; i < lengths.size(); ++i) {
    batch.document_lengths.push_back(lengths.at(i).integer(0));
  }
  batch.mask = b.at("mask").named<Mask>();
  batch.window = b.at("window").integer(0);
  if (b.has("cached_tokens")) {  // since schema 1.1.0
    const JsonCursor cached = b.at("cached_tokens");
    for (size_t i = 0; i < cached.size(); ++i) {
      batch.cached_tokens.push_back(cached.at(i).integer(0));
    }
  }
  if (b.has("parents")) {  // since schema 1.6.0
    const JsonCursor parents = b.at("parents");
    for (size_t i = 0; i < parents.size(); ++i) batch.parents.push_back(parents.at(i).small(-1));
  }
  if (b.has("rules")) batch.rules = read_rows<DocumentRule>(b.at("rules"));
  read_record(shape, {}, problem.shape);
  read_record(cluster, {"name"}, problem.cluster);
  problem.cluster.name = cluster.at("name").text();
  try {
    validate(problem);
  } catch (const UserError& error) {
    in.fail(std::string("is not valid: ") + error.what());
  }
  return problem;
}

RangeSets read_sets(const JsonCursor& in) {
  RangeSets sets;
  if (in.size() == 0) in.bad("a list whose first set is empty: [[], ...]");
  for (size_t i = 0; i < in.size(); ++i) {
    const JsonCursor set = in.at(i);
    Ranges ranges;
    for (size_t k = 0; k < set.size(); ++k) {
      const JsonCursor range = set.at(k);
      range.expect_size(2, "begin, end");
      ranges.push_back({range.at(size_t{0}).integer(0), range.at(1).integer(0)});
    }
    if (i == 0 && !ranges.empty()) set.bad("[], the empty set");
    if (!is_normal(ranges)) set.bad("ranges that are sorted, disjoint, joined where they touch");
    if (sets.intern(ranges) != static_cast<SetId>(i)) set.fail("repeats an earlier set");
  }
  return sets;
}

Pass read_pass(const JsonCursor& in) {
  in.expect_keys({"lookahead", "attends", "sends", "collectives"});
  Pass pass{.lookahead = in.at("lookahead").small(),
            .attends = read_rows<Attend>(in.at("attends")),
            .sends = read_rows<Send>(in.at("sends")),
            .collectives = read_rows<Collective>(in.at("collectives"))};
  count_steps(pass);
  return pass;
}

Plan read_plan(const JsonCursor& in) {
  Plan plan;
  in.expect_keys({"ranks", "tokens", "query_heads", "gradient_wire", "token_sets", "rank_sets",
                  "home", "forward", "backward", "keep"});
  plan.ranks = in.at("ranks").small(1);
  plan.tokens = in.at("tokens").integer(1);
  plan.query_heads = in.at("query_heads").small(1);
  plan.gradient_wire = in.at("gradient_wire").named<GradientWire>();
  plan.token_sets = read_sets(in.at("token_sets"));
  plan.rank_sets = read_sets(in.at("rank_sets"));
  const JsonCursor home = in.at("home");
  for (size_t i = 0; i < home.size(); ++i) plan.home.push_back(home.at(i).small());
  plan.forward = read_pass(in.at("forward"));
  plan.backward = read_pass(in.at("backward"));
  plan.keep = read_rows<Keep>(in.at("keep"));
  return plan;
}

struct Version {
  int64_t major = 0;
  int64_t minor = 0;
};

// Reads "1.1.0"; nothing if the text is not a version.
std::optional<Version> version_of(const std::string& text) {
  Version version;
  char dot = 0;
  std::istringstream in(text);
  if (!(in >> version.major >> dot >> version.minor) || dot != '.') return std::nullopt;
  return version;
}

}  // namespace

std::string problem_json(const Problem& problem) { return text_of(to_json(problem)); }
std::string plan_json(const Plan& plan) { return text_of(to_json(plan)); }

std::string planned_problem_json(const PlannedProblem& planned) {
  const Json document = {{"kind", kPlanKind},
                         {"schema_version", kSchemaVersion},
                         {"problem", to_json(planned.problem)},
                         {"plan", to_json(planned.plan)}};
  return text_of(document) + "\n";
}

Problem problem_from_json(const std::string& text) {
  const nlohmann::json document = parse_json(text, "the problem");
  return read_problem({document, "problem"});
}

Plan plan_from_json(const std::string& text) {
  const nlohmann::json document = parse_json(text, "the plan");
  return read_plan({document, "plan"});
}

PlannedProblem planned_problem_from_json(const std::string& text) {
  const nlohmann::json document = parse_json(text, "the plan file");
  // Other keys are checked below, when the version is known.
  const JsonCursor in(document, "the document", UnknownKeys::ignored);
  in.expect_keys({"kind", "schema_version", "problem", "plan"});
  if (in.at("kind").text() != kPlanKind) in.at("kind").bad(std::string("\"") + kPlanKind + "\"");
  const Version ours = *version_of(kSchemaVersion);
  const std::optional<Version> theirs = version_of(in.at("schema_version").text());
  if (!theirs || theirs->major != ours.major) {
    in.at("schema_version").bad("\"" + std::to_string(ours.major) + ".x\"");
  }
  const UnknownKeys unknown =
      theirs->minor > ours.minor ? UnknownKeys::ignored : UnknownKeys::refused;
  JsonCursor(document, "the document", unknown)
      .expect_keys({"kind", "schema_version", "problem", "plan"});
  return {read_problem({document.at("problem"), "problem", unknown}),
          read_plan({document.at("plan"), "plan", unknown})};
}

}  // namespace cpbench
