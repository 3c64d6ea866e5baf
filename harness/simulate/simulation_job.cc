#include "harness/simulate/simulation_job.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "harness/plan/errors.h"

namespace cpbench {

using Json = nlohmann::json;

// The fields of each struct that are sent, in the order in which they are sent.
static auto sent(Link& l) { return std::tie(l.latency_seconds, l.bytes_per_second); }
static auto sent(CollectiveFit& f) {
  return std::tie(f.ranks, f.latency_seconds, f.bytes_per_second);
}
static auto sent(ClusterModel& m) {
  return std::tie(m.cluster.nodes, m.cluster.gpus_per_node, m.sms, m.intra_node, m.inter_node,
                  m.node_uplink_bytes_per_second, m.inter_node_all_to_all_efficiency, m.all_gather,
                  m.reduce_scatter);
}
static auto sent(Profile& p) {
  return std::tie(p.reserved_sms, p.collective_sms, p.substage_barrier, p.exchange_seconds,
                  p.graph_seconds);
}
static auto sent(Exchange& e) { return std::tie(e.pass, e.step, e.substage); }
static auto sent(CollectiveCall& c) { return std::tie(c.kind, c.members, c.block_bytes); }
static auto sent(Transfer& t) {
  return std::tie(t.from, t.to, t.bytes, t.exchange, t.collective, t.after_task, t.after_pack,
                  t.after_transfer);
}
static auto sent(Task& t) {
  return std::tie(t.seconds, t.host_seconds, t.arrival, t.step, t.pass, t.activity);
}
static auto sent(Pack& p) {
  return std::tie(p.seconds, p.host_seconds, p.after_task, p.exchange, p.step, p.pass);
}
static auto sent(StepStart& s) { return std::tie(s.pass, s.step, s.first_task); }
static auto sent(RankSchedule& r) { return std::tie(r.tasks, r.packs, r.steps); }
static auto sent(Schedule& s) {
  return std::tie(s.ranks, s.exchanges, s.transfers, s.collectives, s.lookahead);
}
static auto sent(SimulationJob& j) { return std::tie(j.schedule, j.machine, j.profile, j.portion); }
static auto sent(Event& e) {
  return std::tie(e.rank, e.pass, e.step, e.activity, e.start_seconds, e.end_seconds);
}
static auto sent(Execution& e) { return std::tie(e.end_seconds, e.events); }

template <typename Struct>
concept Sent = requires(Struct& value) { sent(value); };

template <Sent Struct>
void to_json(Json& json, const Struct& value) {
  std::apply([&](const auto&... fields) { json = Json::array({Json(fields)...}); },
             sent(const_cast<Struct&>(value)));
}

template <Sent Struct>
void from_json(const Json& json, Struct& value) {
  size_t next = 0;
  std::apply([&](auto&... fields) { (json.at(next++).get_to(fields), ...); }, sent(value));
}

// A list of structs is an array of columns, one for each field. Numbers of a column are sent as
// they are in memory: one JSON value for each would take ten times as long as the bytes.
template <Sent Struct, typename Use>
void for_each_column(Use use) {
  constexpr size_t kColumns = std::tuple_size_v<decltype(sent(std::declval<Struct&>()))>;
  [&]<size_t... column>(std::index_sequence<column...>) {
    (use([](Struct& each) -> auto& { return std::get<column>(sent(each)); }), ...);
  }(std::make_index_sequence<kColumns>());
}

template <Sent Struct>
void to_json(Json& json, const std::vector<Struct>& list) {
  json = Json::array();
  for_each_column<Struct>([&](auto field_of) {
    const auto field = [&](size_t i) -> auto& { return field_of(const_cast<Struct&>(list[i])); };
    using Value = std::remove_reference_t<decltype(field(0))>;
    if constexpr (std::is_trivially_copyable_v<Value>) {
      std::vector<uint8_t> bytes(list.size() * sizeof(Value));
      for (size_t i = 0; i < list.size(); ++i) {
        std::memcpy(&bytes[i * sizeof(Value)], &field(i), sizeof(Value));
      }
      json.push_back(Json::binary(std::move(bytes)));
    } else {
      Json values = Json::array();
      for (size_t i = 0; i < list.size(); ++i) values.push_back(field(i));
      json.push_back(std::move(values));
    }
  });
}

template <Sent Struct>
void from_json(const Json& json, std::vector<Struct>& list) {
  size_t next = 0;
  for_each_column<Struct>([&](auto field_of) {
    using Value = std::remove_reference_t<decltype(field_of(list[0]))>;
    const Json& column = json.at(next++);
    const auto resize = [&](size_t size) {
      if (next == 1) list.resize(size);
      if (size != list.size()) throw UserError("the columns of a list have different lengths");
    };
    if constexpr (std::is_trivially_copyable_v<Value>) {
      const std::vector<uint8_t>& bytes = column.get_binary();
      resize(bytes.size() / sizeof(Value));
      for (size_t i = 0; i < list.size(); ++i) {
        std::memcpy(&field_of(list[i]), &bytes[i * sizeof(Value)], sizeof(Value));
      }
    } else {
      resize(column.size());
      for (size_t i = 0; i < list.size(); ++i) column.at(i).get_to(field_of(list[i]));
    }
  });
}

namespace {

constexpr int64_t kActivities = static_cast<int64_t>(kLastActivity) + 1;
constexpr int64_t kPortions = static_cast<int64_t>(Portion::exchanges) + 1;
constexpr int64_t kCollectiveKinds = static_cast<int64_t>(CollectiveKind::all_to_all) + 1;

constexpr int64_t kNoRow = -1;

// Throws UserError: "sender of transfer 1 is 2; must be from 0 to 1". `least` is -1 for an index
// that may be missing.
void require_index(int64_t value, int64_t size, const char* what, int64_t row, int64_t least = 0) {
  if (value >= least && value < size) return;
  throw UserError(fmt::format("{}{} is {}; must be from {} to {}", what,
                              row == kNoRow ? "" : fmt::format(" {}", row), value, least,
                              size - 1));
}

void require_ranks(int64_t found, int64_t expected) {
  if (found == expected) return;
  throw UserError(fmt::format("there are {} ranks; must be {}", found, expected));
}

void validate_rank(const RankSchedule& rank, int64_t transfers, int64_t exchanges) {
  for (int64_t i = 0; i < std::ssize(rank.tasks); ++i) {
    const Task& t = rank.tasks[i];
    require_index(t.arrival, transfers, "arrival of task", i, -1);
    require_index(t.pass, 2, "pass of task", i);
    require_index(static_cast<int64_t>(t.activity), kActivities, "activity of task", i);
  }
  for (int64_t i = 0; i < std::ssize(rank.packs); ++i) {
    require_index(rank.packs[i].exchange, exchanges, "exchange of pack", i);
    require_index(rank.packs[i].pass, 2, "pass of pack", i);
  }
  for (int64_t i = 0; i < std::ssize(rank.steps); ++i) {
    require_index(rank.steps[i].pass, 2, "pass of step", i);
    require_index(rank.steps[i].first_task, std::ssize(rank.tasks) + 1, "first task of step", i);
  }
}

// Every value that is used as an index.
void validate(const SimulationJob& job) {
  const Schedule& schedule = job.schedule;
  const Cluster& cluster = job.machine.cluster;
  const int64_t ranks = schedule.size();
  const int64_t exchanges = std::ssize(schedule.exchanges);
  const int64_t transfers = std::ssize(schedule.transfers);
  require_index(cluster.gpus_per_node, ranks + 1, "GPUs per node", kNoRow, 1);
  require_ranks(ranks, int64_t{cluster.nodes} * cluster.gpus_per_node);
  require_index(static_cast<int64_t>(job.portion), kPortions, "portion of the program", kNoRow);
  const int64_t sms = std::max(1, job.machine.sms);
  require_index(job.profile.reserved_sms, sms, "reserved SMs", kNoRow);
  require_index(job.profile.collective_sms, sms, "SMs of collectives", kNoRow);
  for (int64_t i = 0; i < std::ssize(schedule.exchanges); ++i) {
    require_index(schedule.exchanges[i].pass, 2, "pass of exchange", i);
  }
  for (int64_t i = 0; i < std::ssize(schedule.collectives); ++i) {
    const CollectiveCall& call = schedule.collectives[i];
    require_index(static_cast<int64_t>(call.kind), kCollectiveKinds, "kind of collective", i);
    for (int32_t member : call.members) require_index(member, ranks, "member of collective", i);
  }
  for (int64_t i = 0; i < std::ssize(schedule.transfers); ++i) {
    const Transfer& t = schedule.transfers[i];
    require_index(t.from, ranks, "sender of transfer", i);
    require_index(t.to, ranks, "receiver of transfer", i);
    require_index(t.exchange, exchanges, "exchange of transfer", i);
    require_index(t.collective, std::ssize(schedule.collectives), "collective of transfer", i, -1);
    require_index(t.after_transfer, transfers, "transfer before transfer", i, -1);
  }
  for (const RankSchedule& rank : schedule.ranks) validate_rank(rank, transfers, exchanges);
}

std::string bytes_of(const Json& message) {
  std::string bytes;
  Json::to_cbor(message, bytes);
  return bytes;
}

// nlohmann_json reads by recursion what is inside an array, and the pieces of a string without a
// length. Our messages have few levels, and no such string.
void require_shallow(const std::string& bytes) {
  constexpr size_t kDeepest = 32;
  constexpr uint64_t kMost = uint64_t{1} << 62;
  std::vector<uint64_t> missing = {1};  // values of each array and object that is open
  for (size_t at = 0; at < bytes.size();) {
    while (!missing.empty() && missing.back() == 0) missing.pop_back();
    if (missing.empty()) return;  // more bytes follow, which the parser reports
    --missing.back();
    const auto head = static_cast<uint8_t>(bytes[at++]);
    const int kind = head >> 5, size = head & 31;  // see RFC 8949, section 3
    if (size > 27) throw UserError("cannot read the message: a value has no valid length");
    uint64_t value = size;
    if (size >= 24) value = 0;
    for (int i = 0; size >= 24 && i < 1 << (size - 24) && at < bytes.size(); ++i) {
      value = value << 8 | static_cast<uint8_t>(bytes[at++]);
    }
    if (kind == 2 || kind == 3) at += std::min<uint64_t>(value, bytes.size() - at);
    if (kind == 4) missing.push_back(value);
    if (kind == 5) missing.push_back(2 * std::min(value, kMost));
    if (kind == 6) missing.push_back(1);
    if (missing.size() > kDeepest) {
      throw UserError("cannot read the message: it is nested too deeply");
    }
  }
}

template <typename Message>
Message parse(const std::string& bytes) {
  try {
    require_shallow(bytes);
    return Json::from_cbor(bytes).get<Message>();
  } catch (const Json::exception& error) {
    throw UserError(std::string("cannot read the message: ") + error.what());
  }
}

}  // namespace

std::string job_bytes(const Schedule& schedule, const ClusterModel& machine, const Profile& profile,
                      Portion portion) {
  return bytes_of({schedule, machine, profile, portion});
}

std::string execution_bytes(const Execution& execution) { return bytes_of(execution); }

SimulationJob parse_job(const std::string& bytes) {
  auto job = parse<SimulationJob>(bytes);
  validate(job);
  return job;
}

Execution parse_execution(const std::string& bytes, int32_t ranks) {
  auto execution = parse<Execution>(bytes);
  require_ranks(std::ssize(execution.end_seconds), ranks);
  for (int64_t i = 0; i < std::ssize(execution.events); ++i) {
    const Event& e = execution.events[i];
    require_index(e.rank, ranks, "rank of event", i);
    require_index(e.pass, 2, "pass of event", i);
    require_index(static_cast<int64_t>(e.activity), kActivities, "activity of event", i);
  }
  return execution;
}

}  // namespace cpbench
