#include "harness/store/result_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <numeric>

#include "harness/plan/errors.h"
#include "harness/plan/sizes.h"
#include "harness/store/atomic_file.h"
#include "harness/store/file_kind.h"
#include "harness/store/hdf5_table.h"
#include "harness/store/plan_hdf5.h"
#include "harness/store/safe_read.h"

namespace cpbench {
namespace {

constexpr const char* kRankScale = "/rank";

std::string pack_group(size_t pack) { return "/pack_" + std::to_string(pack); }

// The fields of a struct as scalars, and as vectors by rank.
template <typename Struct>
void write_fields(Hdf5Writer& file, const std::string& group, const Struct& value) {
  for_each_field(value, [&](const std::string& name, const auto& field) {
    using Value = std::remove_cvref_t<decltype(field)>;
    const std::string path = group + "/" + name;
    if constexpr (requires { field.size(); }) {
      file.write(path, field, {std::ssize(field)}, units_of(name));
      file.attach_scales(path, {kRankScale});
    } else {
      file.scalar(path, static_cast<StoredAs<Value>>(field), units_of(name));
    }
  });
}

template <typename Struct>
void read_fields(const Hdf5Reader& file, const std::string& group, Struct& value) {
  for_each_field(value, [&](const std::string& name, auto& field) {
    using Value = std::remove_cvref_t<decltype(field)>;
    const std::string path = group + "/" + name;
    if constexpr (requires { field.size(); }) {
      field = file.read<typename Value::value_type>(path, {kAnyLength});
    } else {
      field = value_of<Value>(file, path, 0, file.scalar<StoredAs<Value>>(path));
    }
  });
}

void write_summary(Hdf5Writer& file, const std::string& group, const PlanSummary& summary) {
  file.group(group);
  write_fields(file, group, summary);
  for (const auto& [name, pass] :
       {std::pair("/forward", &summary.forward), std::pair("/backward", &summary.backward)}) {
    file.group(group + name);
    write_fields(file, group + name, *pass);
  }
}

PlanSummary read_summary(const Hdf5Reader& file, const std::string& group, uint64_t hash) {
  PlanSummary summary;
  summary.hash = hash;
  read_fields(file, group, summary);
  read_fields(file, group + "/forward", summary.forward);
  read_fields(file, group + "/backward", summary.backward);
  return summary;
}

// The matrices [iterations, ranks] of a timeline by their names; clock_share only if it was read.
template <typename T, typename Use>
void for_each_sample(T& timeline, bool clocks, Use use) {
  use("/seconds", timeline.seconds);
  use("/attention_seconds", timeline.attention_seconds);
  use("/overhead_seconds", timeline.overhead_seconds);
  if (clocks) use("/clock_share", timeline.clock_share);
}

// Numbers the iterations of a group; returns the path of the scale.
std::string write_iterations(Hdf5Writer& file, const std::string& group, int64_t iterations) {
  const std::string scale = group + "/iteration";
  file.group(group);
  std::vector<int64_t> indices(static_cast<size_t>(iterations));
  std::iota(indices.begin(), indices.end(), 0);
  file.write(scale, indices, {iterations}, "1");
  file.make_scale(scale, "iteration");
  return scale;
}

void write_portions(Hdf5Writer& file, const std::string& pack, const Timeline& timeline) {
  const int64_t ranks = timeline.ranks;
  const int64_t iterations = std::ssize(timeline.portions.work_seconds) / ranks;
  if (iterations == 0) return;
  const std::string group = pack + "/portions", scale = write_iterations(file, group, iterations);
  for_each_field(timeline.portions, [&](const std::string& name, const auto& values) {
    const std::string path = group + "/" + name;
    file.write(path, values, {iterations, ranks}, units_of(name));
    file.attach_scales(path, {scale, kRankScale});
  });
}

void write_timeline(Hdf5Writer& file, const std::string& pack, const Timeline& timeline,
                    bool simulated) {
  const int64_t ranks = timeline.ranks, iterations = timeline.iterations;
  const bool clocks = !timeline.clock_share.empty();
  const std::string samples = pack + "/samples";
  const std::string scale = write_iterations(file, samples, iterations);
  for_each_sample(timeline, clocks, [&](const std::string& name, const auto& values) {
    file.write(samples + name, values, {iterations, ranks}, units_of(name));
    file.attach_scales(samples + name, {scale, kRankScale});
  });
  if (clocks) {
    file.write(samples + "/accepted", timeline.accepted, {iterations}, "1");
    file.attach_scales(samples + "/accepted", {scale});
  }
  write_portions(file, pack, timeline);
  const std::string counters = pack + "/counters";
  file.group(counters);
  file.write(counters + "/bytes_sent", timeline.bytes_sent, {ranks, ranks}, "bytes");
  file.attach_scales(counters + "/bytes_sent", {kRankScale, kRankScale});
  file.write(counters + "/messages", timeline.messages, {ranks, ranks}, "1");
  file.attach_scales(counters + "/messages", {kRankScale, kRankScale});
  file.write(counters + "/peak_bytes", timeline.peak_bytes, {ranks}, "bytes");
  file.attach_scales(counters + "/peak_bytes", {kRankScale});
  write_table(file, pack + "/timeline", timeline.events);
  if (simulated) return;  // no tensor was computed
  file.group(pack + "/accuracy");
  write_fields(file, pack + "/accuracy", timeline.accuracy);
}

int64_t read_iterations(const Hdf5Reader& file, const std::string& group) {
  return std::ssize(file.read<int64_t>(group + "/iteration", {kAnyLength}));
}

Timeline read_timeline(const Hdf5Reader& file, const std::string& pack) {
  Timeline timeline;
  const std::string samples = pack + "/samples", counters = pack + "/counters";
  timeline.peak_bytes = file.read<int64_t>(counters + "/peak_bytes", {kAnyLength});
  const int64_t ranks = std::ssize(timeline.peak_bytes);
  const int64_t iterations = read_iterations(file, samples);
  timeline.ranks = static_cast<int32_t>(ranks);
  timeline.iterations = static_cast<int32_t>(iterations);
  const bool clocks = file.has(samples + "/clock_share");  // since schema 1.3.0, of GPUs
  for_each_sample(timeline, clocks, [&](const std::string& name, auto& values) {
    values = file.read<double>(samples + name, {iterations, ranks});
  });
  if (clocks) timeline.accepted = file.read<uint8_t>(samples + "/accepted", {iterations});
  const std::string portions = pack + "/portions";
  if (file.has(portions)) {  // since schema 1.6.0
    const int64_t rows = read_iterations(file, portions);
    for_each_field(timeline.portions, [&](const std::string& name, auto& values) {
      values = file.read<double>(portions + "/" + name, {rows, ranks});
    });
  }
  timeline.bytes_sent = file.read<int64_t>(counters + "/bytes_sent", {ranks, ranks});
  timeline.messages = file.read<int64_t>(counters + "/messages", {ranks, ranks});
  timeline.events = read_table<Event>(file, pack + "/timeline");
  if (file.has(pack + "/accuracy")) read_fields(file, pack + "/accuracy", timeline.accuracy);
  return timeline;
}

void write_properties(Hdf5Writer& file, const std::string& group,
                      const std::vector<ReportedValue>& properties) {
  if (properties.empty()) return;
  file.group(group);
  for (const ReportedValue& property : properties) {
    file.scalar(group + "/" + property.name, property.value,
                property.unit.empty() ? "1" : property.unit);
  }
}

std::vector<ReportedValue> read_properties(const Hdf5Reader& file, const std::string& group) {
  std::vector<ReportedValue> properties;
  if (!file.has(group)) return properties;
  for (const std::string& name : file.members(group)) {
    const std::string path = group + "/" + name, unit = file.attribute(path, "units");
    properties.push_back({name, file.scalar<double>(path), unit == "1" ? "" : unit});
  }
  return properties;
}

void write_pack(Hdf5Writer& file, const std::string& group, const Result& result,
                const PackResult& pack) {
  file.group(group);
  write_problem(file, group + "/problem", problem_of(result, pack.batch));
  file.scalar(group + "/layers", pack.layers, "1");
  if (pack.plan.ranks == 0) return;  // no plan could be made
  write_plan(file, group + "/plan", pack.plan);
  write_summary(file, group + "/facts", pack.summary);
  write_properties(file, group + "/properties", pack.properties);
  write_fields(file, group, pack);
  if (pack.communicator_seconds) {
    file.scalar(group + "/communicator_seconds", *pack.communicator_seconds, "s");
  }
  if (pack.timeline.ranks > 0) write_timeline(file, group, pack.timeline, result.simulated);
}

PackResult read_pack(const Hdf5Reader& file, const std::string& group) {
  PackResult pack;
  pack.batch = read_problem(file, group + "/problem").batch;
  if (file.has(group + "/layers")) {  // since schema 1.6.0
    pack.layers = file.scalar<double>(group + "/layers");
  }
  if (!file.has(group + "/plan")) return pack;
  pack.plan = read_plan(file, group + "/plan");
  pack.summary = read_summary(file, group + "/facts", hash_of(pack.plan));
  pack.properties = read_properties(file, group + "/properties");
  read_fields(file, group, pack);
  if (file.has(group + "/communicator_seconds")) {  // since schema 1.6.0, over MPI and NCCL
    pack.communicator_seconds = file.scalar<double>(group + "/communicator_seconds");
  }
  if (file.has(group + "/samples")) pack.timeline = read_timeline(file, group);
  return pack;
}

void write_metrics(Hdf5Writer& file, const std::vector<MetricValue>& metrics) {
  file.group("/metrics");
  for (const MetricValue& metric : metrics) {
    const std::string path = "/metrics/" + metric.name;
    file.scalar(path, metric.value, metric.unit);
    file.attribute(path, "better", metric.better);
    file.attribute(path, "description", metric.description);
    file.attribute(path, "definition_version", std::to_string(metric.definition_version));
  }
}

std::vector<MetricValue> read_metrics(const Hdf5Reader& file) {
  std::vector<MetricValue> metrics;
  for (const std::string& name : file.members("/metrics")) {
    const std::string path = "/metrics/" + name;
    metrics.push_back(
        {name, file.scalar<double>(path), file.attribute(path, "units"),
         file.attribute(path, "better"), file.attribute(path, "description"),
         static_cast<int32_t>(integer_attribute(file, path, "definition_version", 1, INT32_MAX))});
  }
  return metrics;
}

RunSpec read_spec(const Hdf5Reader& file) {
  try {
    return spec_of(file.attributes("/"));
  } catch (const UserError& error) {
    file.fail(std::string("attribute /@") + error.what());
  }
}

// Letters, digits, '.', '_' and '-' only, and not too long for a file name.
std::string file_word(const std::string& text) {
  constexpr size_t kLongest = 48;
  std::string word = text.substr(0, kLongest);
  for (char& c : word) {
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '.' && c != '_') c = '_';
  }
  return word;
}

void write_content(Hdf5Writer& file, const Result& result) {
  write_kind(file, kResultKind);
  for (const auto& [name, text] : stored_fields(result.spec)) file.attribute("/", name, text);
  file.attribute("/", "run_id", run_id(result.spec));
  file.attribute("/", "status", name_of(result.status));
  file.attribute("/", "error", result.error);
  file.attribute("/", "oversubscribed", result.oversubscribed ? "yes" : "no");
  file.attribute("/", "simulated", result.simulated ? "yes" : "no");
  file.attribute("/", "model", result.model);
  file.attribute("/", "model_error", result.model_error);
  std::vector<int64_t> ranks(static_cast<size_t>(result.spec.ranks));
  std::iota(ranks.begin(), ranks.end(), 0);
  file.write(kRankScale, ranks, {result.spec.ranks}, "1");
  file.make_scale(kRankScale, "rank");
  file.scalar("/peak_flops_per_second", result.peak_flops_per_second, "FLOP/s");
  for (size_t i = 0; i < result.packs.size(); ++i) {
    write_pack(file, pack_group(i), result, result.packs[i]);
  }
  write_metrics(file, result.metrics);
  file.group("/provenance");
  for (const auto& [key, text] : result.provenance) file.attribute("/provenance", key, text);
}

// All but the packs and the cluster.
Result parse_root(const Hdf5Reader& file) {
  const std::string kind = read_kind(file);
  if (kind == kPlanKind) file.fail("has only a plan, not a result");
  if (kind != kResultKind) file.fail("is a history, not a result; see cpbench history");
  Result result;
  result.spec = read_spec(file);
  result.status = named_attribute<Status>(file, "/", "status");
  result.error = file.attribute("/", "error");
  result.oversubscribed = file.attribute("/", "oversubscribed") == "yes";
  result.peak_flops_per_second = file.scalar<double>("/peak_flops_per_second");
  if (file.attributes("/").contains("simulated")) {  // since schema 1.2.0
    result.simulated = file.attribute("/", "simulated") == "yes";
    result.model = file.attribute("/", "model");
    result.model_error = file.attribute("/", "model_error");
  }
  // Before schema 1.4.0, files have the defaults even if nothing is simulated.
  if (!result.simulated) result.spec.network = result.spec.profile = "";
  result.metrics = read_metrics(file);
  result.provenance = file.attributes("/provenance");
  return result;
}

Result parse_content(const Hdf5Reader& file) {
  Result result = parse_root(file);
  for (size_t i = 0; file.has(pack_group(i)); ++i) {
    result.packs.push_back(read_pack(file, pack_group(i)));
  }
  result.cluster = result.packs.empty() ? Cluster{.nodes = result.spec.nodes}
                                        : read_problem(file, pack_group(0) + "/problem").cluster;
  return result;
}

Result parse_head(const Hdf5Reader& file) {
  Result result = parse_root(file);
  for (size_t i = 0; file.has(pack_group(i)); ++i) {
    const std::string plan = pack_group(i) + "/plan";
    PackResult& pack = result.packs.emplace_back();
    if (!file.has(plan)) continue;
    pack.properties = read_properties(file, pack_group(i) + "/properties");
    uint64_t& hash = pack.summary.hash;
    const std::string text = file.attribute(plan, "hash");
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), hash, 16);
    if (error != std::errc() || end != text.data() + text.size()) {
      file.fail(plan + "@hash is '" + text + "'; must be 16 hex digits");
    }
  }
  return result;
}

}  // namespace

Problem problem_of(const Result& result, const Batch& batch) {
  return {batch, result.spec.shape, result.cluster};
}

void write_result(const std::string& path, const Result& result) {
  Hdf5Writer file(path);
  write_content(file, result);
  write_atomically(path, with_checksum(file.image()));
}

Result read_result(const std::string& path) {
  return read_safely<Result>(path, parse_content, write_content);
}

Result read_result_head(const std::string& path) {
  return read_safely<Result>(path, parse_content, write_content, parse_head);
}

std::string result_file_name(const RunSpec& spec) {
  return fmt::format("{}-{}-{}-{}r-{}.h5", file_word(spec.strategy), file_word(spec.workload),
                     size_text(spec.tokens), spec.ranks, run_id(spec));
}

}  // namespace cpbench
