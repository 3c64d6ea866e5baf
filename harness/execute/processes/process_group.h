// The processes of one run: every wait has an end, and what goes wrong on one is told on all. A
// rank here is a rank of the wire: of the plan too, where each process has one.
//
//   ProcessGroup group(*wire);
//   group.together([&] {            // on every rank
//     group.agree("plan", hash);    // throws RanksDisagree where it differs
//     group.send(0, 1, tag, bytes); group.barrier(); ...
//   });
//
// A wait ends when no rank has made progress for the timeout: ranks that begin an operation send a
// sign of life when their last one is old, so a long computation elsewhere is no reason to give up.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
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

// Ends this rank's part of a work for a reason that is not its own operation's.
class WorkEnded : public ExecutionFailure {
 public:
  using ExecutionFailure::ExecutionFailure;
};

// A rank is gone or hangs for good: no further work together. "rank 3 does not answer; ..."
class GroupBroken : public ExecutionFailure {
 public:
  using ExecutionFailure::ExecutionFailure;
};

struct GroupOptions {
  double timeout_seconds = ExecuteOptions().timeout_seconds;
  size_t message_bytes = size_t{1} << 30;  // larger ones travel in pieces: MPI counts in 31 bits
  // What messages call a rank of the wire, and several. Another word where it is not one of a plan.
  std::string rank_name = "rank", ranks_name = "ranks";
};

class ProcessGroup : public Transport, public RankPlaces {
 public:
  explicit ProcessGroup(Wire& wire, GroupOptions options = {});

  int32_t rank() const { return wire_.rank(); }
  int32_t size() const { return wire_.size(); }
  const Wire& wire() const { return wire_; }

  // Runs the same work on every rank. Afterwards no message of it is under way, whatever happened.
  // On rank 0 it throws what the work threw, or for another rank's failure ExecutionFailure (or
  // bad_alloc) with that rank's reason; elsewhere only RanksDisagree and GroupBroken.
  void together(const std::function<void()>& work);

  // Inside `work`. All throw if another rank has failed.
  void send(int32_t from, int32_t to, int32_t tag, std::span<const std::byte> bytes) override;
  void receive(int32_t from, int32_t to, int32_t tag, std::span<std::byte> bytes) override;
  void close() override {}  // ranks are told by `together`
  void at(int32_t rank, int32_t pass, int32_t step, int32_t waiting_for) override;
  void barrier();
  void agree(const std::string& what, const std::string& mine);
  // Throws if another rank has failed, else gives a sign of life: for work that waits elsewhere.
  void heed();
  // What every rank says here, by rank, on all of them. Short texts: they pass through rank 0.
  std::vector<std::string> gather(const std::string& mine);

  // Between works: rank 0 tells all others a word. They wait for it as long as it takes.
  void tell(const std::string& word);
  std::string hear();

  bool broken() const { return broken_; }  // GroupBroken was thrown

  // For another thread to say where this rank is: "rank 1, forward step 2, waiting for rank 3".
  std::string place() const;

 private:
  using Clock = std::chrono::steady_clock;
  struct Outcome;
  struct Wait;

  bool poll(int32_t from, NoteKind kind, Note& note);
  void post(int32_t to, NoteKind kind, const std::string& text);
  void post_to_others(NoteKind kind, const std::string& text);
  bool pump(bool heed_failures);
  void show_life();
  template <typename Step>
  void wait(Step step, int32_t waiting_for, const Wait& how);
  Note await(int32_t from, NoteKind kind, const Wait& how);
  void settle(const Outcome& mine);
  std::vector<Outcome> collect(const Outcome& mine);
  void drain();

  void send_text(int32_t to, const std::string& text);
  std::string receive_text(int32_t from);
  template <typename Talk>
  auto unless_lost(Talk talk);
  std::string name_of(int32_t rank) const;
  std::string where() const;
  [[noreturn]] void give_up(const std::string& why);

  Wire& wire_;
  GroupOptions options_;
  int64_t work_ = 0;                      // how many works have begun; the stamp of notes
  std::vector<int64_t> sent_, received_;  // messages of this work, by rank
  Clock::time_point last_progress_, last_sign_;
  int64_t progress_ = 0;
  bool broken_ = false;
  std::atomic<int32_t> pass_{0}, step_{-1}, waiting_for_{-1};
};

}  // namespace cpbench
