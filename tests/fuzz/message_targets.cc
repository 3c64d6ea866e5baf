// Messages between processes, and the environment variables of launchers.
#include <cstring>
#include <deque>
#include <map>

#include "harness/execute/processes/launch_environment.h"
#include "harness/execute/processes/process_group.h"
#include "harness/execute/processes/report_messages.h"
#include "harness/plan/errors.h"
#include "harness/presets/split_text.h"
#include "harness/simulate/simulation_job.h"
#include "tests/fuzz/fuzz_target.h"

namespace cpbench {
namespace {

std::vector<std::string> job_seeds() {
  Schedule schedule;
  schedule.exchanges = {{0, 1, 2}, {1, 0, 5}};
  schedule.collectives = {{CollectiveKind::reduce_scatter, {0, 1}, int64_t{1} << 40}};
  schedule.transfers = {{0, 1, 12, 0, -1, 1, 1, -1}, {1, 0, 34, 1, 0, 2, 0, 0}};
  schedule.ranks.resize(2);
  schedule.ranks[0].tasks = {{1.0 / 3, 0.5, -1, 0, 0, Activity::merge},
                             {0, 0, 1, 4, 1, Activity::wait}};
  schedule.ranks[0].packs = {{0.25, 0.125, 1, 1, 4, 1}};
  schedule.ranks[0].steps = {{0, 0, 0}, {1, 4, 2}};
  ClusterModel cluster;
  cluster.cluster.nodes = 2;
  cluster.cluster.gpus_per_node = 1;
  cluster.sms = 132;
  cluster.all_gather = {{2, 1e-5, 3e11}, {8, 5e-5, 4e11}};
  return {job_bytes(schedule, cluster, {}),
          repeated("\x81", 100000),
          repeated("\x7F", 100000),
          repeated("\x5F", 100000),
          repeated("\xA1\x60", 50000),
          repeated(std::string("\xBB\x80\0\0\0\0\0\0\0\x60", 10), 20000)};
}

std::vector<std::string> execution_seeds() {
  return {execution_bytes({{0.1, 2.5}, {{1, 1, 7, Activity::transfer, 1.0 / 3, 0.5}}})};
}

// The wire of rank 0 of two, whose other rank sends what the input says. Each message or note is
// its kind, its size (2 bytes) and its bytes.
class ScriptedWire : public Wire {
 public:
  explicit ScriptedWire(std::string_view script) {
    while (script.size() >= 3) {
      const auto byte = [&](size_t i) { return static_cast<unsigned char>(script[i]); };
      const int kind = byte(0);
      const size_t size = std::min<size_t>(byte(1) | byte(2) << 8, script.size() - 3);
      const std::string text(script.substr(3, size));
      script.remove_prefix(3 + size);
      if (kind == kData) {
        data_.push_back(text);
      } else {
        notes_[static_cast<NoteKind>(kind)].push_back(text);
      }
    }
  }

  static std::string message(int kind, std::string_view bytes) {
    std::string text = {static_cast<char>(kind), static_cast<char>(bytes.size()),
                        static_cast<char>(bytes.size() >> 8)};
    return text.append(bytes);
  }
  static constexpr int kData = 255;

  std::string sent;  // as a script

  int32_t rank() const override { return 0; }
  int32_t size() const override { return 2; }
  int32_t ranks_on_node() const override { return 2; }
  std::string library() const override { return "a script"; }
  void send(int32_t, int32_t, std::span<const std::byte> bytes) override {
    sent += message(kData, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  }
  std::optional<std::span<const std::byte>> receive(int32_t, int32_t) override {
    if (data_.empty()) throw WireLost("the script ends");
    box_ = data_.front();
    data_.pop_front();
    return std::as_bytes(std::span(box_));
  }
  std::optional<int32_t> discard() override {
    if (data_.empty()) throw WireLost("the script ends");
    data_.pop_front();
    return 1;
  }
  void post(int32_t, NoteKind kind, const std::string& text) override {
    sent += message(static_cast<int>(kind), text);
  }
  std::optional<Note> poll(int32_t, NoteKind kind) override {
    std::deque<std::string>& texts = notes_[kind];
    if (texts.empty() && kind != NoteKind::heartbeat && kind != NoteKind::failed) {
      throw WireLost("the script ends");
    }
    if (texts.empty()) return std::nullopt;
    Note note{1, texts.front()};
    texts.pop_front();
    return note;
  }
  void finish() override {}
  [[noreturn]] void abort(int) override { std::terminate(); }

 private:
  std::deque<std::string> data_;
  std::map<NoteKind, std::deque<std::string>> notes_;
  std::string box_;
};

std::string note(NoteKind kind, const std::string& text) {
  return ScriptedWire::message(static_cast<int>(kind), text);
}

std::vector<std::string> report_seeds() {
  ScriptedWire wire("");
  ProcessGroup group(wire);
  RankReport report;
  report.seconds = report.attention_seconds = report.overhead_seconds = {1, 2};
  report.bytes_sent = report.messages = {3, 4};
  report.events.resize(2);
  send_report(group, report);
  return {wire.sent};
}

std::vector<std::string> note_seeds() {
  const std::string end = ScriptedWire::message(ScriptedWire::kData, {"\5\0\0\0\0\0\0\0", 8}) +
                          ScriptedWire::message(ScriptedWire::kData, "hello") +
                          note(NoteKind::outcome, "1 0 5 ");
  return {note(NoteKind::value, "1 12") + note(NoteKind::barrier, "1 ") + end,
          note(NoteKind::value, "0 old") + note(NoteKind::value, "1 13") + end,
          note(NoteKind::failed, "1 ") + note(NoteKind::outcome, "1 4 7 out of luck") +
              note(NoteKind::sent_count, "1 0")};
}

// What the other processes cannot cause on purpose may end the run, but only as a failure of it.
template <typename Action>
void as_failure_of_the_run(Action action) {
  try {
    action();
  } catch (const std::runtime_error&) {
  }
}

// One NAME=VALUE per line.
void read_environment(std::string_view bytes) {
  std::map<std::string, std::string> variables;
  for (const std::string& line : split_text(std::string(bytes), '\n')) {
    const size_t equals = std::min(line.find('='), line.size());
    variables[line.substr(0, equals)] = line.substr(std::min(line.size(), equals + 1));
  }
  const Environment environment = [&](const char* name) -> const char* {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  };
  launched_rank(environment);
  launch_environment(environment);
}

std::vector<std::string> environment_seeds() {
  return {
      "RANK=5\nWORLD_SIZE=8\nLOCAL_RANK=1\nLOCAL_WORLD_SIZE=4\nMASTER_ADDR=node0\n"
      "MASTER_PORT=29500\nTORCHELASTIC_USE_AGENT_STORE=True\nTORCHELASTIC_RUN_ID=a\n"
      "TORCHELASTIC_RESTART_COUNT=0",
      "OMPI_COMM_WORLD_RANK=1\nOMPI_COMM_WORLD_SIZE=2\nOMPI_COMM_WORLD_LOCAL_RANK=1\n"
      "OMPI_COMM_WORLD_LOCAL_SIZE=2\nPMIX_NAMESPACE=17",
      "SLURM_PROCID=3\nSLURM_STEP_ID=0\nSLURM_JOB_ID=12\nSLURM_STEP_NUM_TASKS=9\nSLURM_NODEID=1\n"
      "SLURM_STEP_TASKS_PER_NODE=4(x2),1\nSLURM_STEP_NODELIST=gpu[003-006,9],login1\n"
      "SLURM_LOCALID=3",
      "RANK=" + repeated("9", 50000),
      "SLURM_PROCID=0\nSLURM_STEP_ID=0\nSLURM_NTASKS=1\nSLURM_TASKS_PER_NODE=" +
          repeated("1(x", 20000),
  };
}

}  // namespace

std::vector<FuzzTarget> message_targets() {
  return {
      {"simulation_job", job_seeds, [](std::string_view bytes) { parse_job(std::string(bytes)); }},
      {"execution", execution_seeds,
       [](std::string_view bytes) { parse_execution(std::string(bytes), 2); }},
      {"rank_report", report_seeds,
       [](std::string_view bytes) {
         as_failure_of_the_run([&] {
           ScriptedWire wire(bytes);
           ProcessGroup group(wire);
           receive_report(group, 1, 2);
         });
       }},
      {"group_notes", note_seeds,
       [](std::string_view bytes) {
         as_failure_of_the_run([&] {
           ScriptedWire wire(bytes);
           ProcessGroup group(wire);
           group.together([&] {
             group.agree("plan", "12");
             group.barrier();
             group.gather("mine");
           });
         });
       }},
      {"launch_environment", environment_seeds, read_environment},
  };
}

}  // namespace cpbench
