#include "harness/store/result_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <numeric>

#include "harness/plan/errors.h"
#include "harness/plan/sizes.h"
#include "harness/store/atomic_file.h"
#include "harness/store/file_kind.h"
#include "harness/store/plan_hdf5.h"

namespace cpbench {
namespace {

constexpr int64_t kActivities = static_cast<int64_t>(Activity::transfer) + 1;

std::string pack_group(size_t pack) { return "/pack_" + std::to_string(pack); }

void write_summary(Hdf5Writer& file, const std::string& group, const PlanSummary& summary) {
  auto per_rank = [&](const std::string& path, const std::vector<int64_t>& values,
                      const std::string& units) {
    file.write(path, values, {static_cast<int64_t>(values.size())}, units);
    file.attach_scale(path, 0, "/rank");
  };
  file.group(group);
  file.scalar(group + "/useful_bytes", summary.useful_bytes, "bytes");
  per_rank(group + "/cells_per_rank", summary.pairs_per_rank, "1");
  per_rank(group + "/tokens_per_rank", summary.tokens_per_rank, "tokens");
  per_rank(group + "/peak_bytes", summary.peak_bytes, "bytes");
  for (const auto& [name, pass] :
       {std::pair("/forward", &summary.forward), std::pair("/backward", &summary.backward)}) {
    const std::string path = group + name;
    file.group(path);
    file.scalar(path + "/steps", int64_t{pass->steps}, "1");
    file.scalar(path + "/attends", pass->attends, "1");
    file.scalar(path + "/sends", pass->sends, "1");
    file.scalar(path + "/wire_bytes", pass->wire_bytes, "bytes");
    file.scalar(path + "/inter_node_bytes", pass->inter_node_bytes, "bytes");
    per_rank(path + "/bytes_out", pass->bytes_out, "bytes");
    per_rank(path + "/bytes_in", pass->bytes_in, "bytes");
  }
}

PlanSummary read_summary(const Hdf5Reader& file, const std::string& group, uint64_t hash) {
  PlanSummary summary;
  summary.hash = hash;
  summary.useful_bytes = file.integer(group + "/useful_bytes");
  summary.pairs_per_rank = file.integers(group + "/cells_per_rank", {-1});
  summary.tokens_per_rank = file.integers(group + "/tokens_per_rank", {-1});
  summary.peak_bytes = file.integers(group + "/peak_bytes", {-1});
  for (const auto& [name, pass] :
       {std::pair("/forward", &summary.forward), std::pair("/backward", &summary.backward)}) {
    const std::string path = group + name;
    pass->steps = static_cast<int32_t>(file.integer(path + "/steps"));
    pass->attends = file.integer(path + "/attends");
    pass->sends = file.integer(path + "/sends");
    pass->wire_bytes = file.integer(path + "/wire_bytes");
    pass->inter_node_bytes = file.integer(path + "/inter_node_bytes");
    pass->bytes_out = file.integers(path + "/bytes_out", {-1});
    pass->bytes_in = file.integers(path + "/bytes_in", {-1});
  }
  return summary;
}

// The accuracy's members by the names they have in the file.
template <typename A>
auto accuracy_fields(A& a) {
  return std::vector<std::pair<std::string, decltype(&a.max_error_output)>>{
      {"max_error_output", &a.max_error_output},
      {"max_error_gradient", &a.max_error_gradient},
      {"tolerance_output", &a.tolerance_output},
      {"tolerance_gradient", &a.tolerance_gradient},
      {"plain_error_output", &a.plain_error_output},
      {"plain_error_gradient", &a.plain_error_gradient},
  };
}

void write_events(Hdf5Writer& file, const std::string& group, const std::vector<Event>& events) {
  std::vector<int64_t> rank, pass, step;
  std::vector<uint8_t> activity;
  std::vector<double> start, end;
  for (const Event& event : events) {
    rank.push_back(event.rank);
    pass.push_back(event.pass);
    step.push_back(event.step);
    activity.push_back(static_cast<uint8_t>(event.activity));
    start.push_back(event.start_seconds);
    end.push_back(event.end_seconds);
  }
  const Extents shape{static_cast<int64_t>(events.size())};
  file.group(group);
  file.write(group + "/rank", rank, shape, "1");
  file.write(group + "/pass", pass, shape, "1");
  file.write(group + "/step", step, shape, "1");
  file.write(group + "/activity", activity, shape, "1");
  file.write(group + "/start_seconds", start, shape, "s");
  file.write(group + "/end_seconds", end, shape, "s");
}

std::vector<Event> read_events(const Hdf5Reader& file, const std::string& group) {
  const auto rank = file.integers(group + "/rank", {-1});
  const Extents shape{static_cast<int64_t>(rank.size())};
  const auto pass = file.integers(group + "/pass", shape);
  const auto step = file.integers(group + "/step", shape);
  const auto activity = file.bytes(group + "/activity", shape);
  const auto start = file.numbers(group + "/start_seconds", shape);
  const auto end = file.numbers(group + "/end_seconds", shape);
  std::vector<Event> events(rank.size());
  for (size_t i = 0; i < events.size(); ++i) {
    if (activity[i] >= kActivities) {
      file.fail(fmt::format("{}/activity[{}] is {}; must be 0 to {}", group, i, activity[i],
                            kActivities - 1));
    }
    events[i] = {static_cast<int32_t>(rank[i]),
                 static_cast<int32_t>(pass[i]),
                 static_cast<int32_t>(step[i]),
                 static_cast<Activity>(activity[i]),
                 start[i],
                 end[i]};
  }
  return events;
}

void write_timeline(Hdf5Writer& file, const std::string& pack, const Timeline& timeline,
                    bool simulated) {
  const int64_t ranks = timeline.ranks, iterations = timeline.iterations;
  const std::string samples = pack + "/samples", scale = samples + "/iteration";
  file.group(samples);
  std::vector<int64_t> indices(static_cast<size_t>(iterations));
  std::iota(indices.begin(), indices.end(), 0);
  file.write(scale, indices, {iterations}, "1");
  file.make_scale(scale, "iteration");
  for (const auto& [name, values] : {std::pair("/seconds", &timeline.seconds),
                                     std::pair("/attention_seconds", &timeline.attention_seconds),
                                     std::pair("/overhead_seconds", &timeline.overhead_seconds)}) {
    file.write(samples + name, *values, {iterations, ranks}, "s");
    file.attach_scale(samples + name, 0, scale);
    file.attach_scale(samples + name, 1, "/rank");
  }
  if (!timeline.clock_share.empty()) {
    file.write(samples + "/clock_share", timeline.clock_share, {iterations, ranks}, "1");
    file.attach_scale(samples + "/clock_share", 0, scale);
    file.attach_scale(samples + "/clock_share", 1, "/rank");
    file.write(samples + "/accepted", timeline.accepted, {iterations}, "1");
    file.attach_scale(samples + "/accepted", 0, scale);
  }
  const std::string counters = pack + "/counters";
  file.group(counters);
  file.write(counters + "/bytes_sent", timeline.bytes_sent, {ranks, ranks}, "bytes");
  file.write(counters + "/messages", timeline.messages, {ranks, ranks}, "1");
  for (const char* name : {"/bytes_sent", "/messages"}) {
    file.attach_scale(counters + name, 0, "/rank");
    file.attach_scale(counters + name, 1, "/rank");
  }
  file.write(counters + "/peak_bytes", timeline.peak_bytes, {ranks}, "bytes");
  file.attach_scale(counters + "/peak_bytes", 0, "/rank");
  write_events(file, pack + "/timeline", timeline.events);
  if (simulated) return;  // no tensor was computed
  file.group(pack + "/accuracy");
  for (const auto& [name, value] : accuracy_fields(timeline.accuracy)) {
    file.scalar(pack + "/accuracy/" + name, *value, "1");
  }
}

Timeline read_timeline(const Hdf5Reader& file, const std::string& pack) {
  Timeline timeline;
  timeline.peak_bytes = file.integers(pack + "/counters/peak_bytes", {-1});
  const int64_t ranks = static_cast<int64_t>(timeline.peak_bytes.size());
  const int64_t iterations =
      static_cast<int64_t>(file.integers(pack + "/samples/iteration", {-1}).size());
  timeline.ranks = static_cast<int32_t>(ranks);
  timeline.iterations = static_cast<int32_t>(iterations);
  const Extents samples{iterations, ranks}, matrix{ranks, ranks};
  timeline.seconds = file.numbers(pack + "/samples/seconds", samples);
  timeline.attention_seconds = file.numbers(pack + "/samples/attention_seconds", samples);
  timeline.overhead_seconds = file.numbers(pack + "/samples/overhead_seconds", samples);
  if (file.has(pack + "/samples/clock_share")) {  // since schema 1.3.0, of GPUs
    timeline.clock_share = file.numbers(pack + "/samples/clock_share", samples);
    timeline.accepted = file.bytes(pack + "/samples/accepted", {iterations});
  }
  timeline.bytes_sent = file.integers(pack + "/counters/bytes_sent", matrix);
  timeline.messages = file.integers(pack + "/counters/messages", matrix);
  timeline.events = read_events(file, pack + "/timeline");
  if (!file.has(pack + "/accuracy")) return timeline;
  for (auto& [name, value] : accuracy_fields(timeline.accuracy)) {
    *value = file.number(pack + "/accuracy/" + name);
  }
  return timeline;
}

void write_pack(Hdf5Writer& file, const std::string& group, const Result& result,
                const PackResult& pack) {
  file.group(group);
  write_problem(file, group + "/problem", problem_of(result, pack.batch));
  if (pack.plan.ranks == 0) return;  // no plan could be made
  write_plan(file, group + "/plan", pack.plan);
  write_summary(file, group + "/facts", pack.summary);
  file.scalar(group + "/planning_seconds", pack.planning_seconds, "s");
  file.scalar(group + "/check_seconds", pack.check_seconds, "s");
  file.scalar(group + "/compile_seconds", pack.compile_seconds, "s");
  if (pack.timeline.ranks > 0) write_timeline(file, group, pack.timeline, result.simulated);
}

PackResult read_pack(const Hdf5Reader& file, const std::string& group) {
  PackResult pack;
  pack.batch = read_problem(file, group + "/problem").batch;
  if (!file.has(group + "/plan")) return pack;
  pack.plan = read_plan(file, group + "/plan");
  pack.summary = read_summary(file, group + "/facts", hash_of(pack.plan));
  pack.planning_seconds = file.number(group + "/planning_seconds");
  pack.check_seconds = file.number(group + "/check_seconds");
  pack.compile_seconds = file.number(group + "/compile_seconds");
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
        {name, file.number(path), file.attribute(path, "units"), file.attribute(path, "better"),
         file.attribute(path, "description"),
         static_cast<int32_t>(integer_attribute(file, path, "definition_version", 1, INT32_MAX))});
  }
  return metrics;
}

Status read_status(const Hdf5Reader& file) {
  const std::string text = file.attribute("/", "status");
  for (Status status : {Status::ok, Status::oom, Status::unsupported, Status::failed}) {
    if (text == name_of(status)) return status;
  }
  file.fail("/@status is '" + text + "'; must be ok, oom, unsupported or failed");
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

}  // namespace

Problem problem_of(const Result& result, const Batch& batch) {
  return {batch, result.spec.shape, result.cluster};
}

void write_result(const std::string& path, const Result& result) {
  Hdf5Writer file(path);
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
  file.write("/rank", ranks, {result.spec.ranks}, "1");
  file.make_scale("/rank", "rank");
  file.scalar("/peak_flops_per_second", result.peak_flops_per_second, "FLOP/s");
  for (size_t i = 0; i < result.packs.size(); ++i) {
    write_pack(file, pack_group(i), result, result.packs[i]);
  }
  write_metrics(file, result.metrics);
  file.group("/provenance");
  for (const auto& [key, text] : result.provenance) file.attribute("/provenance", key, text);
  write_atomically(path, file.image());
}

Result read_result(const std::string& path) {
  Hdf5Reader file(path);
  if (read_kind(file) != kResultKind) file.fail("holds only a plan, not a result");
  Result result;
  result.spec = read_spec(file);
  result.status = read_status(file);
  result.error = file.attribute("/", "error");
  result.oversubscribed = file.attribute("/", "oversubscribed") == "yes";
  result.peak_flops_per_second = file.number("/peak_flops_per_second");
  if (file.attributes("/").contains("simulated")) {  // since schema 1.2.0
    result.simulated = file.attribute("/", "simulated") == "yes";
    result.model = file.attribute("/", "model");
    result.model_error = file.attribute("/", "model_error");
  }
  // Files of schema 1.3.0 and before name the defaults also where they have no meaning.
  if (!result.simulated) result.spec.network = result.spec.profile = "";
  for (size_t i = 0; file.has(pack_group(i)); ++i) {
    result.packs.push_back(read_pack(file, pack_group(i)));
  }
  result.cluster = result.packs.empty() ? Cluster{.nodes = result.spec.nodes}
                                        : read_problem(file, pack_group(0) + "/problem").cluster;
  result.metrics = read_metrics(file);
  result.provenance = file.attributes("/provenance");
  return result;
}

std::string result_file_name(const RunSpec& spec) {
  return fmt::format("{}-{}-{}-{}r-{}.h5", file_word(spec.strategy), file_word(spec.workload),
                     size_text(spec.tokens), spec.ranks, run_id(spec));
}

}  // namespace cpbench
