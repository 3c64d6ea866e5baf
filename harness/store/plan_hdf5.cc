#include "harness/store/plan_hdf5.h"

#include <fmt/format.h>

#include <charconv>
#include <limits>
#include <optional>

#include "harness/plan/errors.h"
#include "harness/plan/names.h"
#include "harness/plan/problem_fields.h"
#include "harness/plan/text_hash.h"

namespace cpbench {
namespace {

constexpr int64_t kMaxInt32 = std::numeric_limits<int32_t>::max();
constexpr int64_t kMinInt32 = std::numeric_limits<int32_t>::min();
constexpr int64_t kMaxInt64 = std::numeric_limits<int64_t>::max();

// One field of every row as a column.
template <typename Rows, typename Get>
std::vector<int64_t> column(const Rows& rows, Get get) {
  std::vector<int64_t> values;
  values.reserve(rows.size());
  for (const auto& row : rows) values.push_back(static_cast<int64_t>(get(row)));
  return values;
}

class Columns {
 public:
  Columns(Hdf5Writer& file, std::string group, size_t rows)
      : file_(file), group_(std::move(group)), rows_(static_cast<int64_t>(rows)) {
    file_.group(group_);
  }
  void integers(const std::string& name, const std::vector<int64_t>& values,
                const std::string& units = "1") {
    file_.write(group_ + "/" + name, values, {rows_}, units);
  }
  void codes(const std::string& name, const std::vector<int64_t>& values) {
    file_.write(group_ + "/" + name, std::vector<uint8_t>(values.begin(), values.end()), {rows_},
                "1");
  }

 private:
  Hdf5Writer& file_;
  std::string group_;
  int64_t rows_;
};

void write_sets(Hdf5Writer& file, const std::string& group, const RangeSets& sets,
                const std::string& units) {
  std::vector<int64_t> first{0}, begin, end;
  for (SetId id = 0; id < sets.count(); ++id) {
    for (const Range& range : sets[id]) {
      begin.push_back(range.begin);
      end.push_back(range.end);
    }
    first.push_back(static_cast<int64_t>(begin.size()));
  }
  Columns columns(file, group, begin.size());
  file.write(group + "/first", first, {static_cast<int64_t>(first.size())}, "1");
  columns.integers("begin", begin, units);
  columns.integers("end", end, units);
}

void write_pass(Hdf5Writer& file, const std::string& group, const Pass& pass) {
  file.group(group);
  file.attribute(group, "steps", std::to_string(pass.steps));
  file.attribute(group, "lookahead", std::to_string(pass.lookahead));
  const auto& a = pass.attends;
  Columns attends(file, group + "/attends", a.size());
  attends.integers("step", column(a, [](const Attend& x) { return x.step; }));
  attends.integers("rank", column(a, [](const Attend& x) { return x.rank; }));
  attends.integers("q", column(a, [](const Attend& x) { return x.q; }));
  attends.integers("kv", column(a, [](const Attend& x) { return x.kv; }));
  attends.integers("head_begin", column(a, [](const Attend& x) { return x.heads.begin; }));
  attends.integers("head_end", column(a, [](const Attend& x) { return x.heads.end; }));
  const auto& s = pass.sends;
  Columns sends(file, group + "/sends", s.size());
  sends.integers("step", column(s, [](const Send& x) { return x.step; }));
  sends.integers("substage", column(s, [](const Send& x) { return x.substage; }));
  sends.integers("from", column(s, [](const Send& x) { return x.from; }));
  sends.integers("to", column(s, [](const Send& x) { return x.to; }));
  sends.codes("tensor", column(s, [](const Send& x) { return x.tensor; }));
  sends.integers("tokens", column(s, [](const Send& x) { return x.tokens; }));
  sends.integers("head_begin", column(s, [](const Send& x) { return x.heads.begin; }));
  sends.integers("head_end", column(s, [](const Send& x) { return x.heads.end; }));
  sends.integers("collective", column(s, [](const Send& x) { return x.collective; }));
  const auto& c = pass.collectives;
  Columns collectives(file, group + "/collectives", c.size());
  collectives.codes("kind", column(c, [](const Collective& x) { return x.kind; }));
  collectives.integers("padded_tokens",
                       column(c, [](const Collective& x) { return x.padded_tokens; }), "tokens");
}

// The columns of one table; all must be as long as the first that is read.
class Rows {
 public:
  Rows(const Hdf5Reader& file, std::string group) : file_(file), group_(std::move(group)) {}
  std::vector<int32_t> small(const std::string& name) {
    const std::vector<int64_t> wide = file_.integers(group_ + "/" + name, {rows_});
    std::vector<int32_t> values(size(wide.size()));
    for (size_t i = 0; i < wide.size(); ++i) {
      if (wide[i] < kMinInt32 || wide[i] > kMaxInt32) bad(name, i, wide[i], "a 32-bit number");
      values[i] = static_cast<int32_t>(wide[i]);
    }
    return values;
  }
  std::vector<int64_t> wide(const std::string& name) {
    std::vector<int64_t> values = file_.integers(group_ + "/" + name, {rows_});
    size(values.size());
    return values;
  }
  template <typename Enum>
  std::vector<Enum> codes(const std::string& name, int64_t count) {
    const std::vector<uint8_t> codes = file_.bytes(group_ + "/" + name, {rows_});
    std::vector<Enum> values(size(codes.size()));
    for (size_t i = 0; i < codes.size(); ++i) {
      if (codes[i] >= count) bad(name, i, codes[i], fmt::format("0 to {}", count - 1));
      values[i] = static_cast<Enum>(codes[i]);
    }
    return values;
  }
  size_t size() const { return static_cast<size_t>(rows_); }
  [[noreturn]] void bad(const std::string& name, size_t row, int64_t value,
                        const std::string& want) const {
    file_.fail(fmt::format("{}/{}[{}] is {}; must be {}", group_, name, row, value, want));
  }

 private:
  size_t size(size_t found) {
    rows_ = static_cast<int64_t>(found);
    return found;
  }
  const Hdf5Reader& file_;
  std::string group_;
  int64_t rows_ = -1;
};

RangeSets read_sets(const Hdf5Reader& file, const std::string& group) {
  Rows rows(file, group);
  const std::vector<int64_t> begin = rows.wide("begin");
  const std::vector<int64_t> end = rows.wide("end");
  const std::vector<int64_t> first = file.integers(group + "/first", {-1});
  auto bad = [&](size_t set, const std::string& why) {
    file.fail(fmt::format("{}: set {} {}", group, set, why));
  };
  if (first.size() < 2 || first.front() != 0 ||
      first.back() != static_cast<int64_t>(begin.size())) {
    file.fail(fmt::format("{}/first must start with 0 and end with {}", group, begin.size()));
  }
  RangeSets sets;
  for (size_t set = 0; set + 1 < first.size(); ++set) {
    if (first[set + 1] < first[set] || first[set + 1] > first.back())
      bad(set, "ends before it begins");
    Ranges ranges;
    for (int64_t i = first[set]; i < first[set + 1]; ++i) ranges.push_back({begin[i], end[i]});
    if (set == 0 && !ranges.empty()) bad(set, "must be empty");
    if (!is_normal(ranges)) bad(set, "is not sorted, disjoint and joined ranges");
    if (sets.intern(ranges) != static_cast<SetId>(set)) bad(set, "repeats another");
  }
  return sets;
}

Pass read_pass(const Hdf5Reader& file, const std::string& group) {
  Pass pass;
  pass.steps = static_cast<int32_t>(integer_attribute(file, group, "steps", 0, kMaxInt32));
  pass.lookahead = static_cast<int32_t>(integer_attribute(file, group, "lookahead", 0, kMaxInt32));
  {
    Rows rows(file, group + "/attends");
    const auto step = rows.small("step"), rank = rows.small("rank"), q = rows.small("q"),
               kv = rows.small("kv"), begin = rows.small("head_begin"),
               end = rows.small("head_end");
    pass.attends.resize(rows.size());
    for (size_t i = 0; i < rows.size(); ++i) {
      pass.attends[i] = {step[i], rank[i], q[i], kv[i], {begin[i], end[i]}};
    }
  }
  {
    Rows rows(file, group + "/sends");
    const auto step = rows.small("step"), substage = rows.small("substage"),
               from = rows.small("from"), to = rows.small("to"), tokens = rows.small("tokens"),
               begin = rows.small("head_begin"), end = rows.small("head_end"),
               collective = rows.small("collective");
    const auto tensor = rows.codes<Tensor>("tensor", kTensors);
    pass.sends.resize(rows.size());
    for (size_t i = 0; i < rows.size(); ++i) {
      pass.sends[i] = {step[i],   substage[i],        from[i],      to[i], tensor[i],
                       tokens[i], {begin[i], end[i]}, collective[i]};
    }
  }
  Rows rows(file, group + "/collectives");
  constexpr int64_t kKinds = static_cast<int64_t>(CollectiveKind::all_to_all) + 1;
  const auto kind = rows.codes<CollectiveKind>("kind", kKinds);
  const auto padded = rows.wide("padded_tokens");
  for (size_t i = 0; i < rows.size(); ++i) pass.collectives.push_back({kind[i], padded[i]});
  return pass;
}

template <typename Enum>
Enum named(const Hdf5Reader& file, const std::string& object, const std::string& name) {
  const std::string text = file.attribute(object, name);
  const std::optional<Enum> value = enum_named<Enum>(text);
  if (!value) {
    file.fail(fmt::format("{}@{} is '{}'; must be one of {}", object, name, text,
                          fmt::join(enum_names<Enum>(), ", ")));
  }
  return *value;
}

// Counts and words of a record are attributes of the group, rates are datasets.
class RecordWriter {
 public:
  RecordWriter(Hdf5Writer& file, const std::string& group) : file_(file), group_(group) {}
  template <typename Value>
  void operator()(const std::string& name, const Value& value) const {
    if constexpr (std::is_same_v<Value, double>) {
      const std::string unit = name.ends_with("flops_per_second")   ? "FLOP/s"
                               : name.ends_with("bytes_per_second") ? "bytes/s"
                                                                    : "bytes";
      file_.scalar(group_ + "/" + name, value, unit);
    } else if constexpr (std::is_enum_v<Value>) {
      file_.attribute(group_, name, name_of(value));
    } else {
      file_.attribute(group_, name, std::to_string(value));
    }
  }

 private:
  Hdf5Writer& file_;
  const std::string& group_;
};

class RecordReader {
 public:
  RecordReader(const Hdf5Reader& file, const std::string& group) : file_(file), group_(group) {}
  template <typename Value>
  void operator()(const std::string& name, Value& value) const {
    if constexpr (std::is_same_v<Value, double>) {
      value = file_.number(group_ + "/" + name);
    } else if constexpr (std::is_enum_v<Value>) {
      value = named<Value>(file_, group_, name);
    } else {
      value = static_cast<Value>(
          integer_attribute(file_, group_, name, 0, std::numeric_limits<Value>::max()));
    }
  }

 private:
  const Hdf5Reader& file_;
  const std::string& group_;
};

}  // namespace

int64_t integer_attribute(const Hdf5Reader& file, const std::string& object,
                          const std::string& name, int64_t minimum, int64_t maximum) {
  const std::string text = file.attribute(object, name);
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < minimum ||
      value > maximum) {
    file.fail(fmt::format("{}@{} is '{}'; must be a whole number from {} to {}", object, name, text,
                          minimum, maximum));
  }
  return value;
}

void write_problem(Hdf5Writer& file, const std::string& group, const Problem& problem) {
  const Batch& batch = problem.batch;
  file.group(group);
  file.write(group + "/document_lengths", batch.document_lengths,
             {static_cast<int64_t>(batch.document_lengths.size())}, "tokens");
  file.write(group + "/cached_tokens", batch.cached_tokens,
             {static_cast<int64_t>(batch.cached_tokens.size())}, "tokens");
  file.attribute(group, "mask", name_of(batch.mask));
  file.attribute(group, "window", std::to_string(batch.window));
  file.attribute(group, "cluster", problem.cluster.name);
  visit_fields(problem.shape, RecordWriter(file, group));
  visit_fields(problem.cluster, RecordWriter(file, group));
}

Problem read_problem(const Hdf5Reader& file, const std::string& group) {
  Problem problem;
  Batch& batch = problem.batch;
  batch.document_lengths = file.integers(group + "/document_lengths", {-1});
  if (file.has(group + "/cached_tokens")) {  // since schema 1.1.0
    batch.cached_tokens = file.integers(group + "/cached_tokens", {-1});
  }
  batch.mask = named<Mask>(file, group, "mask");
  batch.window = integer_attribute(file, group, "window", 0, kMaxInt64);
  problem.cluster.name = file.attribute(group, "cluster");
  visit_fields(problem.shape, RecordReader(file, group));
  visit_fields(problem.cluster, RecordReader(file, group));
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
             {static_cast<int64_t>(plan.home.size())}, "1");
  write_pass(file, group + "/forward", plan.forward);
  write_pass(file, group + "/backward", plan.backward);
  const auto& k = plan.keep;
  Columns keep(file, group + "/keep", k.size());
  keep.integers("rank", column(k, [](const Keep& x) { return x.rank; }));
  keep.codes("tensor", column(k, [](const Keep& x) { return x.tensor; }));
  keep.integers("tokens", column(k, [](const Keep& x) { return x.tokens; }));
  keep.integers("head_begin", column(k, [](const Keep& x) { return x.heads.begin; }));
  keep.integers("head_end", column(k, [](const Keep& x) { return x.heads.end; }));
}

Plan read_plan(const Hdf5Reader& file, const std::string& group) {
  Plan plan;
  plan.ranks = static_cast<int32_t>(integer_attribute(file, group, "ranks", 1, kMaxInt32));
  plan.tokens = integer_attribute(file, group, "tokens", 1, kMaxInt64);
  plan.query_heads =
      static_cast<int32_t>(integer_attribute(file, group, "query_heads", 1, kMaxInt32));
  plan.gradient_wire = named<GradientWire>(file, group, "gradient_wire");
  plan.token_sets = read_sets(file, group + "/token_sets");
  plan.rank_sets = read_sets(file, group + "/rank_sets");
  Rows home(file, group);
  plan.home = home.small("home");
  plan.forward = read_pass(file, group + "/forward");
  plan.backward = read_pass(file, group + "/backward");
  Rows rows(file, group + "/keep");
  const auto rank = rows.small("rank"), tokens = rows.small("tokens"),
             begin = rows.small("head_begin"), end = rows.small("head_end");
  const auto tensor = rows.codes<Tensor>("tensor", kTensors);
  for (size_t i = 0; i < rows.size(); ++i) {
    plan.keep.push_back({rank[i], tensor[i], tokens[i], {begin[i], end[i]}});
  }
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
