#include "harness/store/plan_json.h"

#include <optional>
#include <sstream>

#include "harness/plan/errors.h"
#include "harness/plan/names.h"
#include "harness/plan/problem_fields.h"
#include "harness/store/file_kind.h"
#include "harness/store/json_cursor.h"
#include "harness/store/result_file.h"

namespace cpbench {
namespace {

using Json = nlohmann::ordered_json;  // keeps the order in which the format is documented

template <typename Value>
Json json_of(const Value& value) {
  if constexpr (std::is_enum_v<Value>) {
    return name_of(value);
  } else {
    return value;
  }
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
            {"cached_tokens", batch.cached_tokens}}},
          {"shape", std::move(shape)},
          {"cluster", std::move(cluster)}};
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

Json to_json(const Pass& pass) {
  Json attends = Json::array(), sends = Json::array(), collectives = Json::array();
  for (const Attend& a : pass.attends) {
    attends.push_back(Json::array({a.step, a.rank, a.q, a.kv, a.heads.begin, a.heads.end}));
  }
  for (const Send& s : pass.sends) {
    sends.push_back(Json::array({s.step, s.substage, s.from, s.to, name_of(s.tensor), s.tokens,
                                 s.heads.begin, s.heads.end, s.collective}));
  }
  for (const Collective& c : pass.collectives) {
    collectives.push_back(Json::array({name_of(c.kind), c.padded_tokens}));
  }
  return {{"lookahead", pass.lookahead},
          {"attends", std::move(attends)},
          {"sends", std::move(sends)},
          {"collectives", std::move(collectives)}};
}

Json to_json(const Plan& plan) {
  Json keep = Json::array();
  for (const Keep& k : plan.keep) {
    keep.push_back(Json::array({k.rank, name_of(k.tensor), k.tokens, k.heads.begin, k.heads.end}));
  }
  return {{"ranks", plan.ranks},
          {"tokens", plan.tokens},
          {"query_heads", plan.query_heads},
          {"gradient_wire", name_of(plan.gradient_wire)},
          {"token_sets", to_json(plan.token_sets)},
          {"rank_sets", to_json(plan.rank_sets)},
          {"home", plan.home},
          {"forward", to_json(plan.forward)},
          {"backward", to_json(plan.backward)},
          {"keep", std::move(keep)}};
}

void read_value(const JsonCursor& in, int32_t& value) { value = in.small(1); }
void read_value(const JsonCursor& in, int64_t& value) { value = in.integer(0); }
void read_value(const JsonCursor& in, double& value) { value = in.number(); }
void read_value(const JsonCursor& in, Dtype& value) { value = in.named<Dtype>(); }

// An object with the fields of a record, and the keys of `also`.
template <typename Record>
void read_record(const JsonCursor& in, std::set<std::string> also, Record& record) {
  visit_fields(record, [&](const char* name, auto&) { also.insert(name); });
  in.expect_keys(also);
  visit_fields(record, [&](const char* name, auto& value) { read_value(in.at(name), value); });
}

Problem read_problem(const JsonCursor& in) {
  Problem problem;
  Batch& batch = problem.batch;
  in.expect_keys({"batch", "shape", "cluster"});
  const JsonCursor b = in.at("batch"), shape = in.at("shape"), cluster = in.at("cluster");
  b.expect_keys({"document_lengths", "mask", "window"}, {"cached_tokens"});
  const JsonCursor lengths = b.at("document_lengths");
  for (size_t i = 0; i < lengths.size(); ++i) {
    batch.document_lengths.push_back(lengths.at(i).integer(1));
  }
  batch.mask = b.at("mask").named<Mask>();
  batch.window = b.at("window").integer(0);
  if (b.has("cached_tokens")) {  // since schema 1.1.0
    const JsonCursor cached = b.at("cached_tokens");
    for (size_t i = 0; i < cached.size(); ++i) {
      batch.cached_tokens.push_back(cached.at(i).integer(0));
    }
  }
  read_record(shape, {}, problem.shape);
  read_record(cluster, {"name"}, problem.cluster);
  problem.cluster.name = cluster.at("name").text();
  try {
    validate(problem);
  } catch (const UserError& error) {
    in.fail(std::string("is wrong: ") + error.what());
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

Heads read_heads(const JsonCursor& row, size_t column) {
  return {row.at(column).small(), row.at(column + 1).small()};
}

Pass read_pass(const JsonCursor& in) {
  Pass pass;
  in.expect_keys({"lookahead", "attends", "sends", "collectives"});
  pass.lookahead = in.at("lookahead").small();
  const JsonCursor attends = in.at("attends"), sends = in.at("sends"),
                   collectives = in.at("collectives");
  for (size_t i = 0; i < attends.size(); ++i) {
    const JsonCursor row = attends.at(i);
    row.expect_size(6, "step, rank, q, kv, head begin, head end");
    pass.attends.push_back({row.at(size_t{0}).small(), row.at(1).small(), row.at(2).small(),
                            row.at(3).small(), read_heads(row, 4)});
  }
  for (size_t i = 0; i < sends.size(); ++i) {
    const JsonCursor row = sends.at(i);
    row.expect_size(9,
                    "step, substage, from, to, tensor, tokens, head begin, head end, collective");
    pass.sends.push_back({row.at(size_t{0}).small(), row.at(1).small(), row.at(2).small(),
                          row.at(3).small(), row.at(4).named<Tensor>(), row.at(5).small(),
                          read_heads(row, 6), row.at(8).small(-1)});
  }
  for (size_t i = 0; i < collectives.size(); ++i) {
    const JsonCursor row = collectives.at(i);
    row.expect_size(2, "kind, padded tokens");
    pass.collectives.push_back({row.at(size_t{0}).named<CollectiveKind>(), row.at(1).integer(0)});
  }
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
  const JsonCursor home = in.at("home"), keep = in.at("keep");
  for (size_t i = 0; i < home.size(); ++i) plan.home.push_back(home.at(i).small());
  plan.forward = read_pass(in.at("forward"));
  plan.backward = read_pass(in.at("backward"));
  for (size_t i = 0; i < keep.size(); ++i) {
    const JsonCursor row = keep.at(i);
    row.expect_size(5, "rank, tensor, tokens, head begin, head end");
    plan.keep.push_back({row.at(size_t{0}).small(), row.at(1).named<Tensor>(), row.at(2).small(),
                         read_heads(row, 3)});
  }
  return plan;
}

struct Version {
  int64_t major = 0;
  int64_t minor = 0;
};

// Of "1.1.0"; nothing where the text is no version.
std::optional<Version> version_of(const std::string& text) {
  Version version;
  char dot = 0;
  std::istringstream in(text);
  if (!(in >> version.major >> dot >> version.minor) || dot != '.') return std::nullopt;
  return version;
}

}  // namespace

std::string problem_json(const Problem& problem) { return to_json(problem).dump(); }
std::string plan_json(const Plan& plan) { return to_json(plan).dump(); }

std::string planned_problem_json(const PlannedProblem& planned) {
  const Json document = {{"kind", kPlanKind},
                         {"schema_version", kSchemaVersion},
                         {"problem", to_json(planned.problem)},
                         {"plan", to_json(planned.plan)}};
  return document.dump() + "\n";
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
  // Other keys are looked at below, when the version is known.
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
