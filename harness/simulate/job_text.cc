#include "harness/simulate/job_text.h"

#include <limits>

#include "harness/simulate/tokens.h"

namespace cpbench {
namespace {

constexpr int64_t kMostRanks = 1 << 20;
constexpr int64_t kAnyStep = std::numeric_limits<int32_t>::max();
constexpr int64_t kAnyBytes = std::numeric_limits<int64_t>::max();
constexpr int64_t kActivities = static_cast<int64_t>(Activity::transfer) + 1;
constexpr int64_t kCollectiveKinds = static_cast<int64_t>(CollectiveKind::all_to_all) + 1;

void put_fits(std::string& text, std::string_view name, const std::vector<CollectiveFit>& fits) {
  put(text, name, fits.size());
  for (const CollectiveFit& fit : fits) {
    put(text, fit.ranks, fit.latency_seconds, fit.bytes_per_second);
  }
}

std::vector<CollectiveFit> read_fits(TokenReader& reader, std::string_view name) {
  reader.expect(name);
  std::vector<CollectiveFit> fits(reader.count());
  for (CollectiveFit& fit : fits) {
    fit.ranks = reader.index(kMostRanks);
    fit.latency_seconds = reader.number();
    fit.bytes_per_second = reader.number();
  }
  return fits;
}

void put_machine(std::string& text, const ClusterModel& machine, const Profile& profile) {
  put(text, "cluster", machine.cluster.nodes, machine.cluster.gpus_per_node, machine.sms);
  put(text, "links", machine.intra_node.latency_seconds, machine.intra_node.bytes_per_second,
      machine.inter_node.latency_seconds, machine.inter_node.bytes_per_second);
  put(text, "uplink", machine.node_uplink_bytes_per_second,
      machine.inter_node_all_to_all_efficiency);
  put_fits(text, "all_gather", machine.all_gather);
  put_fits(text, "reduce_scatter", machine.reduce_scatter);
  put(text, "profile", profile.reserved_sms, profile.substage_barrier ? 1 : 0);
}

void read_machine(TokenReader& reader, ClusterModel& machine, Profile& profile) {
  reader.expect("cluster");
  machine.cluster.nodes = static_cast<int32_t>(reader.integer(1, kMostRanks));
  machine.cluster.gpus_per_node =
      static_cast<int32_t>(reader.integer(1, kMostRanks / machine.cluster.nodes));
  machine.sms = reader.index(kAnyStep);
  reader.expect("links");
  for (Link* link : {&machine.intra_node, &machine.inter_node}) {
    link->latency_seconds = reader.number();
    link->bytes_per_second = reader.number();
  }
  reader.expect("uplink");
  machine.node_uplink_bytes_per_second = reader.number();
  machine.inter_node_all_to_all_efficiency = reader.number();
  machine.all_gather = read_fits(reader, "all_gather");
  machine.reduce_scatter = read_fits(reader, "reduce_scatter");
  reader.expect("profile");
  profile.reserved_sms = reader.index(std::max(1, machine.sms));
  profile.substage_barrier = reader.index(2) == 1;
}

void put_communication(std::string& text, const Schedule& schedule) {
  put(text, "lookahead", schedule.lookahead[0], schedule.lookahead[1]);
  put(text, "exchanges", schedule.exchanges.size());
  for (const Exchange& e : schedule.exchanges) put(text, e.pass, e.step, e.substage);
  put(text, "collectives", schedule.collectives.size());
  for (const CollectiveCall& call : schedule.collectives) {
    put(text, static_cast<int>(call.kind), call.block_bytes, call.members.size());
    for (int32_t member : call.members) put(text, member);
  }
  put(text, "transfers", schedule.transfers.size());
  for (const Transfer& t : schedule.transfers) {
    put(text, t.from, t.to, t.bytes, t.exchange, t.collective, t.after_task, t.after_pack,
        t.after_transfer);
  }
}

void read_communication(TokenReader& reader, int32_t ranks, Schedule& schedule) {
  reader.expect("lookahead");
  for (int32_t& steps : schedule.lookahead) steps = reader.index(kAnyStep);
  reader.expect("exchanges");
  schedule.exchanges.resize(reader.count());
  for (Exchange& e : schedule.exchanges) {
    e.pass = reader.index(2);
    e.step = reader.index(kAnyStep);
    e.substage = reader.index(kAnyStep);
  }
  reader.expect("collectives");
  schedule.collectives.resize(reader.count());
  for (CollectiveCall& call : schedule.collectives) {
    call.kind = static_cast<CollectiveKind>(reader.index(kCollectiveKinds));
    call.block_bytes = reader.integer(0, kAnyBytes);
    call.members.resize(reader.integer(0, ranks));
    for (int32_t& member : call.members) member = reader.index(ranks);
  }
  reader.expect("transfers");
  schedule.transfers.resize(reader.count());
  for (Transfer& t : schedule.transfers) {
    t.from = reader.index(ranks);
    t.to = reader.index(ranks);
    t.bytes = reader.integer(0, kAnyBytes);
    t.exchange = reader.index(static_cast<int64_t>(schedule.exchanges.size()));
    t.collective = reader.index_or_none(static_cast<int64_t>(schedule.collectives.size()));
    t.after_task = reader.index(kAnyStep);
    t.after_pack = reader.index(kAnyStep);
    t.after_transfer = reader.index_or_none(static_cast<int64_t>(schedule.transfers.size()));
  }
}

void put_rank(std::string& text, const RankSchedule& rank) {
  put(text, "tasks", rank.tasks.size());
  for (const Task& t : rank.tasks) {
    put(text, t.seconds, t.arrival, t.step, static_cast<int>(t.pass), static_cast<int>(t.activity));
  }
  put(text, "packs", rank.packs.size());
  for (const Pack& p : rank.packs) {
    put(text, p.seconds, p.after_task, p.exchange, p.step, static_cast<int>(p.pass));
  }
  put(text, "steps", rank.steps.size());
  for (const StepStart& s : rank.steps) put(text, s.pass, s.step, s.first_task);
}

void read_rank(TokenReader& reader, int64_t transfers, int64_t exchanges, RankSchedule& rank) {
  reader.expect("tasks");
  rank.tasks.resize(reader.count());
  for (Task& t : rank.tasks) {
    t.seconds = reader.number();
    t.arrival = reader.index_or_none(transfers);
    t.step = reader.index(kAnyStep);
    t.pass = static_cast<uint8_t>(reader.index(2));
    t.activity = static_cast<Activity>(reader.index(kActivities));
  }
  reader.expect("packs");
  rank.packs.resize(reader.count());
  for (Pack& p : rank.packs) {
    p.seconds = reader.number();
    p.after_task = reader.index(kAnyStep);
    p.exchange = reader.index(exchanges);
    p.step = reader.index(kAnyStep);
    p.pass = static_cast<uint8_t>(reader.index(2));
  }
  reader.expect("steps");
  rank.steps.resize(reader.count());
  for (StepStart& s : rank.steps) {
    s.pass = reader.index(2);
    s.step = reader.index(kAnyStep);
    s.first_task = reader.index(static_cast<int64_t>(rank.tasks.size()) + 1);
  }
}

}  // namespace

std::string job_text(const Schedule& schedule, const ClusterModel& machine,
                     const Profile& profile) {
  std::string text;
  put(text, "cpbench-schedule", 1);
  put_machine(text, machine, profile);
  put_communication(text, schedule);
  for (const RankSchedule& rank : schedule.ranks) put_rank(text, rank);
  put(text, "end");
  return text;
}

SimulationJob parse_job(std::string_view text) {
  TokenReader reader(text, "schedule");
  SimulationJob job;
  reader.expect("cpbench-schedule");
  reader.integer(1, 1);
  read_machine(reader, job.machine, job.profile);
  const int32_t ranks = job.machine.cluster.ranks();
  read_communication(reader, ranks, job.schedule);
  job.schedule.ranks.resize(ranks);
  for (RankSchedule& rank : job.schedule.ranks) {
    read_rank(reader, static_cast<int64_t>(job.schedule.transfers.size()),
              static_cast<int64_t>(job.schedule.exchanges.size()), rank);
  }
  reader.expect("end");
  return job;
}

std::string execution_text(const Execution& execution) {
  std::string text;
  put(text, "cpbench-execution", 1);
  for (double seconds : execution.end_seconds) put(text, seconds);
  put(text, "events", execution.events.size());
  for (const Event& e : execution.events) {
    put(text, e.rank, e.pass, e.step, static_cast<int>(e.activity), e.start_seconds, e.end_seconds);
  }
  put(text, "end");
  return text;
}

Execution parse_execution(std::string_view text, int32_t ranks) {
  TokenReader reader(text, "execution");
  Execution execution;
  reader.expect("cpbench-execution");
  reader.integer(1, 1);
  execution.end_seconds.resize(ranks);
  for (double& seconds : execution.end_seconds) seconds = reader.number();
  reader.expect("events");
  execution.events.resize(reader.count());
  for (Event& e : execution.events) {
    e.rank = reader.index(ranks);
    e.pass = reader.index(2);
    e.step = reader.index(kAnyStep);
    e.activity = static_cast<Activity>(reader.index(kActivities));
    e.start_seconds = reader.number();
    e.end_seconds = reader.number();
  }
  reader.expect("end");
  return execution;
}

}  // namespace cpbench
