// The processes of one run. Every wait has an end, and a failure of one process reaches all.
//
//   ProcessGroup group(*wire);
//   group.together([&] {            // on every rank
//     group.agree("plan", hash);    // throws RanksDisagree if the ranks' values differ
//     group.send(0, 1, tag, bytes); group.barrier(); ...
//   });
//
// A rank of the group is a rank of the wire. It is also a rank of the plan if each process runs
// one.
//
// A wait ends when no rank has made progress for the timeout. Ranks that begin an operation send a
// heartbeat when their last one is old, so a long computation on one rank does not time out the
// others. Ranks that wait learn at once that the work has timed out and answer, so the one that
// does not answer soon after is the one that has died or is stopped.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "harness/execute/execute.h"
#include "harness/execute/processes/wire.h"
#include "harness/execute/run_control.h"
#include "harness/execute/transport.h"
#include "harness/plan/errors.h"

namespace cpbench {

// "the ranks disagree on the plan: rank 0 has 1f..., rank 2 has 07..."
class RanksDisagree : public UserError {
 public:
  using UserError::UserError;
};

// Ends this rank's part of the work although its own operations did not fail.
class WorkAborted : public ExecutionFailure {
 public:
  using ExecutionFailure::ExecutionFailure;
};

// A rank ended or hangs: the group cannot be used any more. "rank 3 does not answer; ..."
class GroupBroken : public ExecutionFailure {
 public:
  using ExecutionFailure::ExecutionFailure;
};

struct GroupOptions {
  double timeout_seconds = ExecuteOptions().timeout_seconds;
  size_t message_bytes = size_t{1} << 30;  // larger messages are split: MPI counts in 31 bits
  // What messages call one rank of the wire, and several. Processes that run several ranks of a
  // plan use "process" and "processes".
  std::string rank_name = "rank", ranks_name = "ranks";
};

class ProcessGroup : public Transport, public ProgressListener {
 public:
  explicit ProcessGroup(Wire& wire, GroupOptions options = {});

  int32_t rank() const { return wire_.rank(); }
  int32_t size() const { return wire_.size(); }
  const Wire& wire() const { return wire_; }

  // Runs the same work on every rank. When it returns or throws, no message of the work is in
  // flight. On rank 0 it throws what the work threw there, or for a failure of another rank
  // ExecutionFailure (or bad_alloc) with that rank's reason. On the other ranks it throws only
  // RanksDisagree and GroupBroken.
  void together(const std::function<void()>& work);

  // To be called inside `work`. All of these throw if another rank has failed.
  void send(int32_t from, int32_t to, int32_t tag, std::span<const std::byte> bytes) override;
  void receive(int32_t from, int32_t to, int32_t tag, std::span<std::byte> bytes) override;
  void close() override {}  // `together` tells the other ranks
  void operation_started(int32_t rank, int32_t pass, int32_t step, int32_t waiting_for) override;
  void barrier();
  void agree(const std::string& what, const std::string& mine);
  // Throws if another rank has failed, and otherwise sends a heartbeat if one is due. For work that
  // waits for something else than the group.
  void check_peers();
  // Returns what every rank passes, by rank, on all ranks. For short texts: they pass through rank
  // 0.
  std::vector<std::string> gather(const std::string& mine);

  // The time to create a communicator for this rank's group of those given, which have no rank in
  // common: on all ranks that of the slowest one. Nothing if the wire has no communicators.
  std::optional<double> communicator_seconds(const std::vector<std::vector<int32_t>>& groups);

  // The longest of the times of all ranks, on all of them; nothing if one has none.
  std::optional<double> slowest(std::optional<double> mine);

  // To be called between works: rank 0 sends a command to all others, which wait for it without a
  // timeout.
  void send_command(const std::string& command);
  std::string receive_command();

  bool broken() const { return broken_; }  // GroupBroken was thrown

  // What this rank is doing: "rank 1, forward step 2, waiting for a message from rank 3". May be
  // called from another thread.
  std::string position() const;

 private:
  using Clock = std::chrono::steady_clock;
  struct Outcome;
  struct WaitOptions;

  bool poll(int32_t from, NoteKind kind, Note& note);
  void post(int32_t to, NoteKind kind, const std::string& text);
  void post_to_others(NoteKind kind, const std::string& text);
  bool peer_has_failed();
  void read_heartbeats();
  void send_heartbeat_if_due();
  template <typename Step>
  void wait(Step step, int32_t waiting_for, const WaitOptions& options);
  Note wait_for_note(int32_t from, NoteKind kind, const WaitOptions& options);
  void exchange_outcomes(const Outcome& mine);
  std::vector<Outcome> collect_outcomes(const Outcome& mine);
  void drain();

  void send_text(int32_t to, const std::string& text);
  std::string receive_text(int32_t from);
  template <typename Action>
  auto break_if_wire_lost(Action action);
  std::string name_of(int32_t rank) const;
  std::string step_position() const;
  [[noreturn]] void break_group(const std::string& why);

  Wire& wire_;
  GroupOptions options_;
  int64_t work_ = 0;                      // number of the current work; prefix of its notes
  std::vector<int64_t> sent_, received_;  // messages of this work, by rank
  Clock::time_point last_progress_, last_heartbeat_;
  int64_t operations_ = 0;
  bool broken_ = false;
  bool timed_out_ = false;  // this work, on any rank that this one has heard of
  std::atomic<int32_t> pass_{0}, step_{-1}, waiting_for_{-1};
};

}  // namespace cpbench
