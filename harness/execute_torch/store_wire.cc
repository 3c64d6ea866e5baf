// Each process has one queue in the store. A sender pushes frames to the receiver's queue without
// waiting. A thread of the receiver blocks on its queue in the server, so nothing polls, and
// handles each frame by its kind.
#include "harness/execute/processes/store_wire.h"

#include <c10/util/Flags.h>
#include <torch/headeronly/version.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#include <utility>
#include <vector>

#include "harness/execute/processes/receive_queue.h"
#include "harness/execute/processes/store_socket.h"
#include "harness/plan/errors.h"
#include "harness/plan/seconds_text.h"

C10_DECLARE_int(caffe2_log_level);

namespace cpbench {
namespace {

using Clock = std::chrono::steady_clock;
using StorePointer = c10::intrusive_ptr<c10d::Store>;
using Bytes = std::vector<uint8_t>;

enum class FrameKind : int32_t {
  hello,    // to process 0: the run that the sender belongs to
  welcome,  // from process 0: all processes have connected
  refusal,  // from process 0: why the processes cannot work together
  note,     // `tag` is its NoteKind
  piece,    // part of a message, but not the last one
  data,     // the last part of a message, or all of it
  bye,      // to process 0: the sender no longer needs the store
  end,      // all processes must end, with `tag` as their exit code
  stop      // to itself: the reading thread must end
};

struct Frame {
  FrameKind kind;
  int32_t from;
  int32_t tag;
};

// The server closes the connection of a client that pushes more than 8 MiB at once.
constexpr size_t kPieceBytes = size_t{4} << 20;

Bytes frame_of(const Frame& frame, std::span<const std::byte> body) {
  Bytes bytes(sizeof frame + body.size());
  std::memcpy(bytes.data(), &frame, sizeof frame);
  if (!body.empty()) std::memcpy(bytes.data() + sizeof frame, body.data(), body.size());
  return bytes;
}

std::string address_of(const LaunchEnvironment& launch) {
  return launch.address + ":" + std::to_string(launch.port);
}

// torchrun's store may still have queues of earlier runs.
std::string queue_of(const LaunchEnvironment& launch, int32_t process) {
  return "cpbench/" + (launch.has_store ? launch.run + "/" : "") + std::to_string(process);
}

std::string run_text(const LaunchEnvironment& launch) {
  return "run '" + launch.run + "' of " + std::to_string(launch.processes) + " processes";
}

// c10d logs each failure with its stack trace and retries. Users get the error messages of this
// file instead.
void silence_c10d() {
  constexpr int kFatal = 3;
  if (!std::getenv("TORCH_CPP_LOG_LEVEL")) FLAGS_caffe2_log_level = kFatal;
}

std::string first_line(const std::exception& error) {
  const auto* torch_error = dynamic_cast<const c10::Error*>(&error);
  const std::string text = torch_error ? torch_error->what_without_backtrace() : error.what();
  return text.substr(0, text.find('\n'));
}

// What the wire shares with the thread that reads for it. The thread may outlive the wire if the
// server does not answer.
struct SharedState {
  explicit SharedState(LaunchEnvironment of) : launch(std::move(of)) {}

  const LaunchEnvironment launch;
  ReceiveQueue received;

  std::mutex mutex;
  std::condition_variable changed;
  StorePointer store;           // for pushing; null until connected
  std::set<int32_t> connected;  // on process 0: processes that have said hello
  std::set<int32_t> departed;   // on process 0: processes that have said bye
  bool welcome = false;
  std::string refusal;  // why the processes cannot work together
  std::string lost;     // why the store cannot be reached any more

  template <typename Change>
  void change(Change to) {
    {
      const std::lock_guard lock(mutex);
      to();
    }
    changed.notify_all();
  }
  template <typename Condition>
  bool wait_until(Clock::time_point end, Condition condition) {
    std::unique_lock lock(mutex);
    return changed.wait_until(lock, end, condition);
  }
};

void push(const SharedState& state, int32_t to, const Frame& frame,
          std::span<const std::byte> body = {}) {
  state.store->queuePush(queue_of(state.launch, to), frame_of(frame, body));
}

void push(const SharedState& state, int32_t to, FrameKind kind, const std::string& text) {
  push(state, to, {kind, state.launch.process, 0}, std::as_bytes(std::span(text)));
}

// ---- the thread that reads

[[noreturn]] void end_process(const Frame& frame) {
  std::fprintf(stderr, "cpbench: error: process %d has ended the run\n", frame.from);
  std::fflush(stderr);
  _exit(frame.tag);
}

void handle_hello(SharedState& state, int32_t from, const std::string& run) {
  const std::string sender = "process " + std::to_string(from);
  state.change([&] {
    if (run != run_text(state.launch)) {
      state.refusal = sender + " at " + address_of(state.launch) + " belongs to " + run +
                      ", and process 0 to " + run_text(state.launch) +
                      ": set MASTER_PORT to a different port for each run";
    } else if (!state.connected.insert(from).second) {
      state.refusal = "two processes at " + address_of(state.launch) + " claim to be " + sender +
                      ": set MASTER_PORT to a different port for each run";
    }
  });
}

// Returns false if no more frames will follow.
bool handle_frame(SharedState& state, std::map<int32_t, std::vector<std::byte>>& pieces,
                  const Bytes& bytes) {
  Frame frame{.from = -1};
  if (bytes.size() >= sizeof frame) std::memcpy(&frame, bytes.data(), sizeof frame);
  if (frame.from < 0 || frame.from >= state.launch.processes) {
    throw std::runtime_error("a message in the store is not from cpbench");
  }
  const auto body = std::as_bytes(std::span(bytes).subspan(sizeof frame));
  const std::string text(reinterpret_cast<const char*>(body.data()), body.size());
  switch (frame.kind) {
    case FrameKind::hello:
      handle_hello(state, frame.from, text);
      break;
    case FrameKind::welcome:
      state.change([&] { state.welcome = true; });
      break;
    case FrameKind::refusal:
      state.change([&] { state.refusal = text; });
      break;
    case FrameKind::note:
      state.received.add(frame.from, static_cast<NoteKind>(frame.tag), text);
      break;
    case FrameKind::piece:
    case FrameKind::data: {
      std::vector<std::byte>& message = pieces[frame.from];
      message.insert(message.end(), body.begin(), body.end());
      if (frame.kind == FrameKind::data) {
        state.received.add(frame.from, frame.tag, std::exchange(message, {}));
      }
      break;
    }
    case FrameKind::bye:
      state.change([&] { state.departed.insert(frame.from); });
      break;
    case FrameKind::end:
      end_process(frame);
    case FrameKind::stop:
      return false;
  }
  return true;
}

StorePointer connect(const LaunchEnvironment& launch, int listening, double timeout_seconds) {
  c10d::TCPStoreOptions options;
  options.port = launch.port;
  options.waitWorkers = false;
  options.timeout = std::chrono::milliseconds(static_cast<int64_t>(timeout_seconds * 1e3));
  std::string address = "localhost";
  if (listening < 0) {
    // Only the address that answers: c10d would wait for each address of the host, IPv6 first.
    address = await_listener(launch.address, launch.port, timeout_seconds);
  } else {
    options.isServer = true;
    options.masterListenFd = listening;
  }
  return c10::make_intrusive<c10d::TCPStore>(address, options);
}

// Returns false if the wait was not cancelled, because a frame arrived in between.
bool cancel_a_wait(c10d::Store& store, const std::string& queue) {
  try {
    store.wait({queue + "/never"}, std::chrono::milliseconds(1));
  } catch (const std::exception&) {  // timed out, or the store is gone, which the next wait reports
    return true;
  }
  return false;
}

void read(SharedState& state, int listening, double timeout_seconds) {
  // Practically no timeout. In milliseconds it must fit an int.
  constexpr std::chrono::hours kLong{24 * 20};
  // With each wait the server keeps one more entry for this connection, and each push walks over
  // all entries, until a wait is cancelled (torch 2.11). So a wait is cancelled now and then.
  constexpr int kMostEntries = 1000;
  const LaunchEnvironment& launch = state.launch;
  const StorePointer to_push = connect(launch, listening, timeout_seconds);
  state.change([&] { state.store = to_push; });
  const StorePointer to_read = to_push->clone();
  push(state, 0, FrameKind::hello, run_text(launch));
  std::map<int32_t, std::vector<std::byte>> pieces;
  const std::string queue = queue_of(launch, launch.process);
  to_read->setTimeout(kLong);
  for (int entries = 1;; ++entries) {
    if (!handle_frame(state, pieces, to_read->queuePop(queue, true))) return;
    if (entries >= kMostEntries && cancel_a_wait(*to_read, queue)) entries = 0;
  }
}

// ---- the wire

class StoreWire : public Wire {
 public:
  StoreWire(const LaunchEnvironment& launch, double timeout_seconds)
      : state_(std::make_shared<SharedState>(launch)), timeout_seconds_(timeout_seconds) {
    silence_c10d();
    const int listening = serves() ? listen_at(launch.address, launch.port) : -1;
    reader_ = std::thread([state = state_, listening, timeout_seconds] {
      try {
        read(*state, listening, timeout_seconds);
        state->change([&] { state->lost = "the wire was closed"; });
      } catch (const UserError& error) {
        state->change([&] { state->refusal = error.what(); });
      } catch (const std::exception& error) {
        state->change([&] { state->lost = first_line(error); });
      }
    });
    try {
      wait_for_all();
    } catch (...) {
      release();
      throw;
    }
  }

  ~StoreWire() override { release(); }

  int32_t rank() const override { return state_->launch.process; }
  int32_t size() const override { return state_->launch.processes; }
  int32_t ranks_on_node() const override { return state_->launch.local_processes; }
  std::string library() const override { return "TCPStore of LibTorch " TORCH_VERSION; }

  void send(int32_t to, int32_t tag, std::span<const std::byte> bytes) override {
    for (; bytes.size() > kPieceBytes; bytes = bytes.subspan(kPieceBytes)) {
      push_or_lose(to, {FrameKind::piece, rank(), tag}, bytes.first(kPieceBytes));
    }
    push_or_lose(to, {FrameKind::data, rank(), tag}, bytes);
  }

  std::optional<std::span<const std::byte>> receive(int32_t from, int32_t tag) override {
    auto bytes = checked([&] { return state_->received.receive(from, tag); });
    if (!bytes) return std::nullopt;
    received_ = std::move(*bytes);
    return received_;
  }

  std::optional<int32_t> discard() override {
    return checked([&] { return state_->received.discard(); });
  }

  void post(int32_t to, NoteKind kind, const std::string& text) override {
    push_or_lose(to, {FrameKind::note, rank(), static_cast<int32_t>(kind)},
                 std::as_bytes(std::span(text)));
  }

  std::optional<Note> poll(int32_t from, NoteKind kind) override {
    return checked([&] { return state_->received.poll(from, kind); });
  }

  // The store lives as long as process 0, which therefore ends last. It waits for the others no
  // longer than the timeout.
  void finish() override {
    try {
      push(*state_, 0, FrameKind::bye, "");
      if (rank() == 0) {
        state_->wait_until(end_of_wait(timeout_seconds_), [&] {
          return std::ssize(state_->departed) == size() || !state_->lost.empty();
        });
      }
      push(*state_, rank(), FrameKind::stop, "");
    } catch (const std::exception&) {  // process 0 has already ended
    }
    reader_.join();
    state_->store.reset();
  }

  [[noreturn]] void abort(int exit_code) override {
    try {
      for (int32_t other = 0; other < size(); ++other) {
        if (other != rank()) push(*state_, other, {FrameKind::end, rank(), exit_code});
      }
      if (serves()) await_empty_queues();
    } catch (const std::exception&) {  // the store is gone, so the others end by themselves
    }
    _exit(exit_code);
  }

 private:
  bool serves() const { return rank() == 0 && !state_->launch.has_store; }

  static Clock::time_point end_of_wait(double seconds) {
    return Clock::now() +
           std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  }

  // Returns when all processes have connected.
  void wait_for_all() {
    // Process 0 tells the others why it gives up, so they wait a little longer than it does.
    const double patience = timeout_seconds_ + (rank() == 0 ? 0 : 2);
    const auto failed = [&] { return !state_->refusal.empty() || !state_->lost.empty(); };
    const auto has_store = [&] { return state_->store != nullptr || failed(); };
    const auto has_all = [&] {
      return failed() || (rank() == 0 ? std::ssize(state_->connected) == size() : state_->welcome);
    };
    state_->wait_until(end_of_wait(patience), has_store);
    const bool all_connected = state_->store && state_->wait_until(end_of_wait(patience), has_all);
    const bool connected = state_->store != nullptr;
    const std::string refusal = refusal_text(connected, all_connected);
    const bool answers = connected && rank() == 0;
    for (int32_t other = 1; answers && other < size(); ++other) {
      push(*state_, other, refusal.empty() ? FrameKind::welcome : FrameKind::refusal, refusal);
    }
    if (refusal.empty()) return;
    if (answers && serves()) await_empty_queues();
    throw UserError(refusal);
  }

  // Empty if all processes have connected.
  std::string refusal_text(bool connected, bool all_connected) {
    const std::lock_guard lock(state_->mutex);
    if (!state_->refusal.empty()) return state_->refusal;
    const LaunchEnvironment& launch = state_->launch;
    if (connected && !state_->lost.empty() && !launch.has_store) return lost_text(state_->lost);
    if (!state_->lost.empty() || !connected) {
      return "the server at " + address_of(launch) + " is not a TCPStore of LibTorch " +
             TORCH_VERSION + (state_->lost.empty() ? "" : " (" + state_->lost + ")") +
             ": set MASTER_PORT to a free port, or start with the torchrun of that version";
    }
    if (all_connected) return "";
    std::vector<int32_t> missing;
    for (int32_t other = 0; rank() == 0 && other < size(); ++other) {
      if (!state_->connected.contains(other)) missing.push_back(other);
    }
    if (rank() > 0) missing = {0};
    return names_of(missing) + " of " + std::to_string(size()) + " did not connect to " +
           address_of(launch) + " within " + seconds_text(timeout_seconds_) +
           ": were all started, and can their nodes reach it?";
  }

  static std::string names_of(const std::vector<int32_t>& processes) {
    constexpr size_t kMost = 8;
    std::string text = processes.size() == 1 ? "process " : "processes ";
    for (size_t i = 0; i < std::min(processes.size(), kMost); ++i) {
      text += (i > 0 ? ", " : "") + std::to_string(processes[i]);
    }
    return text + (processes.size() > kMost ? ", ..." : "");
  }

  // Gives the other processes a second to read their last frames before the server ends.
  void await_empty_queues() {
    const auto end = end_of_wait(1);
    for (int32_t other = 0; other < size(); ++other) {
      const std::string queue = queue_of(state_->launch, other);
      while (other != rank() && state_->store->queueLen(queue) > 0 && Clock::now() < end) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
    }
  }

  void push_or_lose(int32_t to, const Frame& frame, std::span<const std::byte> body) {
    try {
      push(*state_, to, frame, body);
    } catch (const std::exception& error) {
      throw WireLost(lost_text(first_line(error)));
    }
  }

  // Returns what `read` finds. Throws WireLost if it finds nothing and the store is lost; what
  // arrived before that is still read.
  template <typename Read>
  std::invoke_result_t<Read> checked(Read read) {
    const std::string lost = [&] {
      const std::lock_guard lock(state_->mutex);
      return state_->lost;
    }();
    auto result = read();
    if (!result && !lost.empty()) throw WireLost(lost_text(lost));
    return result;
  }

  std::string lost_text(const std::string& why) const {
    return std::string(state_->launch.has_store ? "torchrun" : "process 0") +
           " is gone, and with it the store at " + address_of(state_->launch) + " (" + why + ")";
  }

  // Does not wait for the reading thread, which may hang with the server.
  void release() {
    if (!reader_.joinable()) return;
    try {
      if (state_->store) push(*state_, rank(), FrameKind::stop, "");
    } catch (const std::exception&) {  // the reading thread has ended
    }
    reader_.detach();
  }

  std::shared_ptr<SharedState> state_;
  double timeout_seconds_;
  std::thread reader_;
  std::vector<std::byte> received_;
};

}  // namespace

}  // namespace cpbench

extern "C" cpbench::Wire* cpbench_open_store_wire(const cpbench::LaunchEnvironment& launch,
                                                  double timeout_seconds) {
  return new cpbench::StoreWire(launch, timeout_seconds);
}
