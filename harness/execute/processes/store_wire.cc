// Each process has one queue in the store. Whoever has something to say pushes it there, without
// waiting; a thread of the receiver waits in the server for its queue, so that nobody polls, and
// sorts what comes by what it is (Frame).
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

#include "harness/execute/arrivals.h"
#include "harness/execute/processes/store_socket.h"
#include "harness/plan/errors.h"

C10_DECLARE_int(caffe2_log_level);

namespace cpbench {
namespace {

using Clock = std::chrono::steady_clock;
using StorePointer = c10::intrusive_ptr<c10d::Store>;
using Bytes = std::vector<uint8_t>;

enum class What : int32_t {
  hello,    // to process 0: which run the sender believes to be in
  welcome,  // from process 0: all have come
  refusal,  // from process 0: why not
  note,     // `tag` is its kind
  piece,    // of a message, which goes on
  data,     // the last piece of a message, or all of it
  bye,      // to process 0: the sender needs the store no more
  end,      // all processes are to end, with `tag` as their exit code
  stop      // to itself: the thread is to end. (Or to another of its number.)
};

struct Frame {
  What what;
  int32_t from;
  int32_t tag;
};

// The server closes the connection of whoever pushes more than 8 MiB.
constexpr size_t kPiece = size_t{4} << 20;

Bytes frame_of(const Frame& frame, std::span<const std::byte> body) {
  Bytes bytes(sizeof frame + body.size());
  std::memcpy(bytes.data(), &frame, sizeof frame);
  if (!body.empty()) std::memcpy(bytes.data() + sizeof frame, body.data(), body.size());
  return bytes;
}

std::string place_of(const LaunchEnvironment& launch) {
  return launch.address + ":" + std::to_string(launch.port);
}

// A store that torchrun serves may be older than this run.
std::string queue_of(const LaunchEnvironment& launch, int32_t process) {
  return "cpbench/" + (launch.has_store ? launch.run + "/" : "") + std::to_string(process);
}

std::string run_text(const LaunchEnvironment& launch) {
  return "run '" + launch.run + "' of " + std::to_string(launch.processes) + " processes";
}

// c10d tells each failure with its stack, and tries again; what a person needs is said by us.
void quieten_c10d() {
  constexpr int kFatal = 3;
  if (!std::getenv("TORCH_CPP_LOG_LEVEL")) FLAGS_caffe2_log_level = kFatal;
}

std::string first_line(const std::exception& error) {
  const auto* torch_error = dynamic_cast<const c10::Error*>(&error);
  const std::string text = torch_error ? torch_error->what_without_backtrace() : error.what();
  return text.substr(0, text.find('\n'));
}

// What the process and the thread that reads for it share. The thread may outlive the wire, if the
// server does not answer.
struct Mail {
  explicit Mail(LaunchEnvironment of) : launch(std::move(of)) {}

  const LaunchEnvironment launch;
  Arrivals arrivals;

  std::mutex mutex;
  std::condition_variable changed;
  StorePointer store;        // to push by; null until connected
  std::set<int32_t> come;    // on process 0: who has said hello
  std::set<int32_t> parted;  // and bye
  bool welcome = false;
  std::string refusal;  // why there will be no wire
  std::string lost;     // why there is none any more

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

void push(const Mail& mail, int32_t to, const Frame& frame, std::span<const std::byte> body = {}) {
  mail.store->queuePush(queue_of(mail.launch, to), frame_of(frame, body));
}

void push(const Mail& mail, int32_t to, What what, const std::string& text) {
  push(mail, to, {what, mail.launch.process, 0}, std::as_bytes(std::span(text)));
}

// ---- the thread that reads

[[noreturn]] void end_with_the_others(const Frame& frame) {
  std::fprintf(stderr, "cpbench: error: process %d has ended the run\n", frame.from);
  std::fflush(stderr);
  _exit(frame.tag);
}

void hear_hello(Mail& mail, int32_t from, const std::string& run) {
  const std::string who = "process " + std::to_string(from);
  mail.change([&] {
    if (run != run_text(mail.launch)) {
      mail.refusal = who + " at " + place_of(mail.launch) + " is of " + run + ", process 0 of " +
                     run_text(mail.launch) + ": set MASTER_PORT to one of its own for each run";
    } else if (!mail.come.insert(from).second) {
      mail.refusal = "two processes at " + place_of(mail.launch) + " say that they are " + who +
                     ": set MASTER_PORT to one of its own for each run";
    }
  });
}

// False: nothing will follow.
bool take(Mail& mail, std::map<int32_t, std::vector<std::byte>>& pieces, const Bytes& bytes) {
  Frame frame{};
  if (bytes.size() < sizeof frame) throw std::runtime_error("a message is not of cpbench");
  std::memcpy(&frame, bytes.data(), sizeof frame);
  const auto body = std::as_bytes(std::span(bytes).subspan(sizeof frame));
  const std::string text(reinterpret_cast<const char*>(body.data()), body.size());
  switch (frame.what) {
    case What::hello:
      hear_hello(mail, frame.from, text);
      break;
    case What::welcome:
      mail.change([&] { mail.welcome = true; });
      break;
    case What::refusal:
      mail.change([&] { mail.refusal = text; });
      break;
    case What::note:
      mail.arrivals.add(frame.from, static_cast<NoteKind>(frame.tag), text);
      break;
    case What::piece:
    case What::data: {
      std::vector<std::byte>& whole = pieces[frame.from];
      whole.insert(whole.end(), body.begin(), body.end());
      if (frame.what == What::data) {
        mail.arrivals.add(frame.from, frame.tag, std::exchange(whole, {}));
      }
      break;
    }
    case What::bye:
      mail.change([&] { mail.parted.insert(frame.from); });
      break;
    case What::end:
      end_with_the_others(frame);
    case What::stop:
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
    // The one that answers: c10d would wait for each of the host's, those of IPv6 first.
    address = await_listener(launch.address, launch.port, timeout_seconds);
  } else {
    options.isServer = true;
    options.masterListenFd = listening;
  }
  return c10::make_intrusive<c10d::TCPStore>(address, options);
}

// False: something came in between, and nothing was cancelled.
bool cancel_a_wait(c10d::Store& store, const std::string& queue) {
  try {
    store.wait({queue + "/never"}, std::chrono::milliseconds(1));
  } catch (const std::exception&) {  // timed out; or the store is gone, as the next wait will say
    return true;
  }
  return false;
}

void read(Mail& mail, int listening, double timeout_seconds) {
  // Waits without end; its milliseconds must fit an int.
  constexpr std::chrono::hours kLong{24 * 20};
  // With each wait the server keeps one more entry for this connection, and walks over all of them
  // at each push, until a wait is cancelled (torch 2.11): before that costs something, one is.
  constexpr int kMostEntries = 1000;
  const LaunchEnvironment& launch = mail.launch;
  const StorePointer to_push = connect(launch, listening, timeout_seconds);
  mail.change([&] { mail.store = to_push; });
  const StorePointer to_read = to_push->clone();
  push(mail, 0, What::hello, run_text(launch));
  std::map<int32_t, std::vector<std::byte>> pieces;
  const std::string queue = queue_of(launch, launch.process);
  to_read->setTimeout(kLong);
  for (int entries = 1;; ++entries) {
    if (!take(mail, pieces, to_read->queuePop(queue, true))) return;
    if (entries >= kMostEntries && cancel_a_wait(*to_read, queue)) entries = 0;
  }
}

// ---- the wire

class StoreWire : public Wire {
 public:
  StoreWire(const LaunchEnvironment& launch, double timeout_seconds)
      : mail_(std::make_shared<Mail>(launch)), timeout_seconds_(timeout_seconds) {
    quieten_c10d();
    const int listening = serves() ? listen_at(launch.address, launch.port) : -1;
    reader_ = std::thread([mail = mail_, listening, timeout_seconds] {
      try {
        read(*mail, listening, timeout_seconds);
        mail->change([&] { mail->lost = "told to stop"; });
      } catch (const UserError& error) {
        mail->change([&] { mail->refusal = error.what(); });
      } catch (const std::exception& error) {
        mail->change([&] { mail->lost = first_line(error); });
      }
    });
    try {
      meet();
    } catch (...) {
      let_go();
      throw;
    }
  }

  ~StoreWire() override { let_go(); }

  int32_t rank() const override { return mail_->launch.process; }
  int32_t size() const override { return mail_->launch.processes; }
  int32_t ranks_on_node() const override { return mail_->launch.local_processes; }
  std::string library() const override { return "TCPStore of LibTorch " TORCH_VERSION; }

  void send(int32_t to, int32_t tag, std::span<const std::byte> bytes) override {
    for (; bytes.size() > kPiece; bytes = bytes.subspan(kPiece)) {
      push_or_lose(to, {What::piece, rank(), tag}, bytes.first(kPiece));
    }
    push_or_lose(to, {What::data, rank(), tag}, bytes);
  }

  std::optional<std::span<const std::byte>> receive(int32_t from, int32_t tag) override {
    auto bytes = found([&] { return mail_->arrivals.receive(from, tag); });
    if (!bytes) return std::nullopt;
    received_ = std::move(*bytes);
    return received_;
  }

  std::optional<int32_t> discard() override {
    return found([&] { return mail_->arrivals.discard(); });
  }

  void post(int32_t to, NoteKind kind, const std::string& text) override {
    push_or_lose(to, {What::note, rank(), static_cast<int32_t>(kind)},
                 std::as_bytes(std::span(text)));
  }

  std::optional<Note> poll(int32_t from, NoteKind kind) override {
    return found([&] { return mail_->arrivals.poll(from, kind); });
  }

  // The store lives as long as process 0: it goes last, but waits for nobody for ever.
  void finish() override {
    try {
      push(*mail_, 0, What::bye, "");
      if (rank() == 0) {
        mail_->wait_until(end_of_wait(timeout_seconds_), [&] {
          return std::ssize(mail_->parted) == size() || !mail_->lost.empty();
        });
      }
      push(*mail_, rank(), What::stop, "");
    } catch (const std::exception&) {  // process 0 is gone already
    }
    reader_.join();
    mail_->store.reset();
  }

  [[noreturn]] void abort(int exit_code) override {
    try {
      for (int32_t other = 0; other < size(); ++other) {
        if (other != rank()) push(*mail_, other, {What::end, rank(), exit_code});
      }
      if (serves()) await_empty_queues();
    } catch (const std::exception&) {  // they end by themselves, as the store is gone
    }
    _exit(exit_code);
  }

 private:
  bool serves() const { return rank() == 0 && !mail_->launch.has_store; }

  static Clock::time_point end_of_wait(double seconds) {
    return Clock::now() +
           std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  }

  // Returns when all are there.
  void meet() {
    // Others hear from process 0, which began to wait before they came, why it gives up; the
    // reader has an end of its own.
    const double patience = timeout_seconds_ + (rank() == 0 ? 0 : 2);
    const auto over = [&] { return !mail_->refusal.empty() || !mail_->lost.empty(); };
    const auto come = [&] { return mail_->store != nullptr || over(); };
    const auto all_come = [&] {
      return over() || (rank() == 0 ? std::ssize(mail_->come) == size() : mail_->welcome);
    };
    mail_->wait_until(end_of_wait(patience), come);
    const bool met = mail_->store && mail_->wait_until(end_of_wait(patience), all_come);
    const bool connected = mail_->store != nullptr;
    const std::string refusal = why_not(connected, met);
    const bool answers = connected && rank() == 0;
    for (int32_t other = 1; answers && other < size(); ++other) {
      push(*mail_, other, refusal.empty() ? What::welcome : What::refusal, refusal);
    }
    if (refusal.empty()) return;
    if (answers && serves()) await_empty_queues();
    throw UserError(refusal);
  }

  // "" if all have come.
  std::string why_not(bool connected, bool met) {
    const std::lock_guard lock(mail_->mutex);
    if (!mail_->refusal.empty()) return mail_->refusal;
    const LaunchEnvironment& launch = mail_->launch;
    if (connected && !mail_->lost.empty() && !launch.has_store) return lost_text(mail_->lost);
    if (!mail_->lost.empty() || !connected) {
      return "what listens at " + place_of(launch) + " is no TCPStore of a LibTorch " +
             TORCH_VERSION + (mail_->lost.empty() ? "" : " (" + mail_->lost + ")") +
             ": set MASTER_PORT to a free port, or start with the torchrun of that version";
    }
    if (met) return "";
    std::vector<int32_t> missing;
    for (int32_t other = 0; rank() == 0 && other < size(); ++other) {
      if (!mail_->come.contains(other)) missing.push_back(other);
    }
    if (rank() > 0) missing = {0};
    return names_of(missing) + " of " + std::to_string(size()) + " did not come to " +
           place_of(launch) + " within " + seconds_text() +
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

  std::string seconds_text() const {
    char text[32];
    std::snprintf(text, sizeof text, "%g s", timeout_seconds_);
    return text;
  }

  // Before the server goes: what the others are told last should reach them, if they live.
  void await_empty_queues() {
    const auto end = end_of_wait(1);
    for (int32_t other = 0; other < size(); ++other) {
      const std::string queue = queue_of(mail_->launch, other);
      while (other != rank() && mail_->store->queueLen(queue) > 0 && Clock::now() < end) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
    }
  }

  void push_or_lose(int32_t to, const Frame& frame, std::span<const std::byte> body) {
    try {
      push(*mail_, to, frame, body);
    } catch (const std::exception& error) {
      throw WireLost(lost_text(first_line(error)));
    }
  }

  // What is there is received before it is said that nothing more will come.
  template <typename Look>
  std::invoke_result_t<Look> found(Look look) {
    const std::string lost = [&] {
      const std::lock_guard lock(mail_->mutex);
      return mail_->lost;
    }();
    auto result = look();
    if (!result && !lost.empty()) throw WireLost(lost_text(lost));
    return result;
  }

  std::string lost_text(const std::string& why) const {
    return std::string(mail_->launch.has_store ? "torchrun" : "process 0") +
           " is gone, with the store at " + place_of(mail_->launch) + " (" + why + ")";
  }

  // Without waiting: the server may be frozen, and the reader with it.
  void let_go() {
    if (!reader_.joinable()) return;
    try {
      if (mail_->store) push(*mail_, rank(), What::stop, "");
    } catch (const std::exception&) {  // then it has ended
    }
    reader_.detach();
  }

  std::shared_ptr<Mail> mail_;
  double timeout_seconds_;
  std::thread reader_;
  std::vector<std::byte> received_;
};

}  // namespace

std::unique_ptr<Wire> open_store_wire(const LaunchEnvironment& launch, double timeout_seconds) {
  return std::make_unique<StoreWire>(launch, timeout_seconds);
}

}  // namespace cpbench
