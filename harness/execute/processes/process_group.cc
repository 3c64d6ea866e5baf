// Each note begins with the number of the work it belongs to ("12 text"); notes of earlier works
// are ignored.
//   heartbeat      the sender is making progress
//   failed         the sender has given up this work; the text says whether it has timed out
//   barrier        one round of a barrier
//   value          to rank 0: the sender's value, on which all ranks should agree
//   verdict        rank 0's answer to `value`: empty, or the difference
//   outcome        to rank 0: how the work ended on the sender
//   outcome_reply  rank 0's answer to `outcome`: "clean", or "drain" if messages may be in flight
//   sent_count     how many messages of this work the sender has sent to the receiver
//   command        a command of rank 0
#include "harness/execute/processes/process_group.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <exception>
#include <new>
#include <optional>
#include <thread>

#include "harness/plan/shown.h"

namespace cpbench {
namespace {

constexpr size_t kReasonLength = 500;       // notes are short
constexpr uint64_t kLongestText = 1 << 28;  // bytes that one rank gathers
constexpr double kHeartbeatsPerTimeout = 8;
// How long to wait for the outcomes of other ranks, in timeouts. Every rank has had a timeout to
// make progress when the work has timed out. Rank 0 gives up first, because it knows which rank is
// missing.
constexpr double kAnswersAfterTimeout = 0.2;
constexpr double kReplyAfterTimeout = 0.4;
constexpr double kReply = 1 + kReplyAfterTimeout;
constexpr const char* kTimedOut = "timed out";
constexpr int32_t kTextTag = 0;  // any tag will do: messages of one sender and tag keep their order

// Another rank has failed. The text says what this rank was waiting for.
class PeerFailed : public WorkAborted {
 public:
  using WorkAborted::WorkAborted;
};

class TimedOut : public WorkAborted {
 public:
  using WorkAborted::WorkAborted;
};

// The number that begins a text of another rank, and what follows it after one space.
std::pair<int64_t, std::string> take_number(const std::string& text) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const auto digits = static_cast<size_t>(end - text.data());
  if (error != std::errc() || (digits < text.size() && text[digits] != ' ')) {
    throw std::runtime_error("a message of another process is not valid: '" + shown(text) + "'");
  }
  return {number, digits == text.size() ? "" : text.substr(digits + 1)};
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

struct ProcessGroup::WaitOptions {
  double timeout_seconds;  // throws TimedOut after this long without progress; 0: never
  double after_timeout_seconds = timeout_seconds;  // the same when the work has timed out
  bool check_peers = false;                        // throws PeerFailed if another rank has failed
  bool spin = false;  // does not sleep, because the duration of the wait is measured
};

// How a work ended on one rank.
struct ProcessGroup::Outcome {
  enum class Kind : uint8_t { ok, timed_out, peer_failed, out_of_memory, threw };
  int32_t rank = 0;
  Kind kind = Kind::ok;
  int64_t operations = 0;  // that the rank had begun
  std::string reason;

  std::string text() const {
    return std::to_string(static_cast<int>(kind)) + " " + std::to_string(operations) + " " + reason;
  }
  static Outcome of(const Note& note) {
    const auto [kind, rest] = take_number(note.text);
    const auto [operations, reason] = take_number(rest);
    if (kind < 0 || kind > static_cast<int64_t>(Kind::threw)) {
      throw std::runtime_error("a process ended in an unknown way: '" + shown(note.text) + "'");
    }
    return {note.from, static_cast<Kind>(kind), operations, reason};
  }
  bool only_waited() const { return kind == Kind::timed_out || kind == Kind::peer_failed; }
  // Whether this outcome is closer to the cause than the other. Among ranks that only waited it is
  // the one that has begun the fewest operations: the others wait for it, directly or indirectly.
  bool explains_better(const Outcome& other) const {
    if (only_waited() && other.only_waited()) return operations < other.operations;
    return kind > other.kind;
  }
};

ProcessGroup::ProcessGroup(Wire& wire, GroupOptions options)
    : wire_(wire), options_(options), sent_(wire.size()), received_(wire.size()) {}

// ---- notes and waits

void ProcessGroup::post(int32_t to, NoteKind kind, const std::string& text) {
  wire_.post(to, kind, std::to_string(work_) + " " + text);
}

void ProcessGroup::post_to_others(NoteKind kind, const std::string& text) {
  for (int32_t other = 0; other < size(); ++other) {
    if (other != rank()) post(other, kind, text);
  }
}

bool ProcessGroup::poll(int32_t from, NoteKind kind, Note& note) {
  while (auto found = wire_.poll(from, kind)) {
    const auto [work, text] = take_number(found->text);
    if (work != work_) continue;
    note = {found->from, text};
    return true;
  }
  return false;
}

bool ProcessGroup::peer_has_failed() {
  Note note;
  bool any = false;
  while (poll(kAnyRank, NoteKind::failed, note)) {
    any = true;
    timed_out_ |= note.text == kTimedOut;
    last_progress_ = Clock::now();
  }
  return any;
}

void ProcessGroup::read_heartbeats() {
  Note note;
  while (poll(kAnyRank, NoteKind::heartbeat, note)) last_progress_ = Clock::now();
}

// Calls `step` until it returns true.
template <typename Step>
void ProcessGroup::wait(Step step, int32_t waiting_for, const WaitOptions& options) {
  constexpr int kStepsPerCheck = 64;
  constexpr std::chrono::microseconds kPause{200};
  last_progress_ = Clock::now();
  waiting_for_.store(waiting_for, std::memory_order_relaxed);
  for (int steps = 1; !step(); ++steps) {
    if (!options.spin || steps % kStepsPerCheck == 0) {
      read_heartbeats();
      const bool failed = peer_has_failed();
      const double timeout = timed_out_ ? options.after_timeout_seconds : options.timeout_seconds;
      const auto why = [&] {
        return step_position() + ": " +
               no_progress_text(timeout,
                                waiting_for < 0 ? "" : "a message from " + name_of(waiting_for));
      };
      if (options.check_peers && failed) throw PeerFailed(why());
      if (timeout > 0 && seconds_since(last_progress_) > timeout) throw TimedOut(why());
    }
    if (options.spin) {
      std::this_thread::yield();  // there may be more ranks than cores
    } else {
      std::this_thread::sleep_for(kPause);
    }
  }
}

Note ProcessGroup::wait_for_note(int32_t from, NoteKind kind, const WaitOptions& options) {
  Note note;
  wait([&] { return poll(from, kind, note); }, from, options);
  return note;
}

// ---- inside a work

void ProcessGroup::operation_started(int32_t, int32_t pass, int32_t step, int32_t waiting_for) {
  pass_.store(pass, std::memory_order_relaxed);
  step_.store(step, std::memory_order_relaxed);
  waiting_for_.store(waiting_for, std::memory_order_relaxed);
  ++operations_;
  send_heartbeat_if_due();
}

void ProcessGroup::send_heartbeat_if_due() {
  if (seconds_since(last_heartbeat_) * kHeartbeatsPerTimeout < options_.timeout_seconds) return;
  last_heartbeat_ = Clock::now();
  post_to_others(NoteKind::heartbeat, "");
}

void ProcessGroup::send(int32_t, int32_t to, int32_t tag, std::span<const std::byte> bytes) {
  do {
    const auto piece = bytes.first(std::min(bytes.size(), options_.message_bytes));
    wire_.send(to, tag, piece);
    ++sent_[to];
    bytes = bytes.subspan(piece.size());
  } while (!bytes.empty());
}

void ProcessGroup::receive(int32_t from, int32_t, int32_t tag, std::span<std::byte> bytes) {
  const WaitOptions options{
      .timeout_seconds = options_.timeout_seconds, .check_peers = true, .spin = true};
  do {
    const auto piece = bytes.first(std::min(bytes.size(), options_.message_bytes));
    std::optional<std::span<const std::byte>> message;
    wait([&] { return (message = wire_.receive(from, tag)).has_value(); }, from, options);
    ++received_[from];
    if (message->size() != piece.size()) {
      throw std::runtime_error("a message from " + name_of(from) + " has " +
                               std::to_string(message->size()) + " bytes, not " +
                               std::to_string(piece.size()));
    }
    if (!piece.empty()) std::memcpy(piece.data(), message->data(), piece.size());
    bytes = bytes.subspan(piece.size());
  } while (!bytes.empty());
}

// A dissemination barrier: after round k a rank knows that the 2^(k+1) ranks up to itself arrived.
void ProcessGroup::barrier() {
  for (int32_t distance = 1; distance < size(); distance *= 2) {
    post((rank() + distance) % size(), NoteKind::barrier, "");
    wait_for_note((rank() - distance + size()) % size(), NoteKind::barrier,
                  {.timeout_seconds = options_.timeout_seconds, .check_peers = true, .spin = true});
  }
}

void ProcessGroup::agree(const std::string& what, const std::string& mine) {
  const WaitOptions options{.timeout_seconds = options_.timeout_seconds, .check_peers = true};
  if (rank() > 0) {
    post(0, NoteKind::value, mine);
    const std::string difference = wait_for_note(0, NoteKind::verdict, options).text;
    if (!difference.empty()) throw RanksDisagree(difference);
    return;
  }
  std::string difference;
  for (int32_t other = 1; other < size(); ++other) {
    const std::string theirs = wait_for_note(other, NoteKind::value, options).text;
    if (theirs == mine) continue;
    if (difference.empty()) {
      difference = "the " + options_.ranks_name + " disagree on the " + what + ": " + name_of(0) +
                   " has " + mine;
    }
    difference += ", " + name_of(other) + " has " + theirs;
  }
  if (difference.size() > kReasonLength) {
    difference.replace(kReasonLength, std::string::npos, "...");
  }
  post_to_others(NoteKind::verdict, difference);
  if (!difference.empty()) throw RanksDisagree(difference);
}

void ProcessGroup::check_peers() {
  read_heartbeats();
  if (peer_has_failed()) throw PeerFailed(step_position() + ": another rank has failed");
  send_heartbeat_if_due();
}

void ProcessGroup::send_text(int32_t to, const std::string& text) {
  const std::array<uint64_t, 1> size{text.size()};
  send(rank(), to, kTextTag, std::as_bytes(std::span(size)));
  send(rank(), to, kTextTag, std::as_bytes(std::span(text)));
}

std::string ProcessGroup::receive_text(int32_t from) {
  std::array<uint64_t, 1> size{};
  receive(from, rank(), kTextTag, std::as_writable_bytes(std::span(size)));
  if (size[0] > kLongestText) {
    throw std::runtime_error("a text from " + name_of(from) + " has " + std::to_string(size[0]) +
                             " bytes, more than " + std::to_string(kLongestText));
  }
  std::string text(size[0], '\0');
  receive(from, rank(), kTextTag, std::as_writable_bytes(std::span(text)));
  return text;
}

// Rank 0 sends all texts as one, each preceded by its length: "3 abc0 5 words".
std::vector<std::string> ProcessGroup::gather(const std::string& mine) {
  std::vector<std::string> all(size());
  if (rank() > 0) {
    send_text(0, mine);
    std::string rest = receive_text(0);
    for (std::string& text : all) {
      const auto [length, texts] = take_number(rest);
      text = texts.substr(0, static_cast<size_t>(length));
      rest = texts.substr(text.size());
    }
    return all;
  }
  std::string joined;
  for (int32_t other = 0; other < size(); ++other) {
    all[other] = other == 0 ? mine : receive_text(other);
    joined += std::to_string(all[other].size()) + " " + all[other];
  }
  for (int32_t other = 1; other < size(); ++other) send_text(other, joined);
  return all;
}

std::optional<double> ProcessGroup::communicator_seconds(
    const std::vector<std::vector<int32_t>>& groups) {
  std::optional<double> mine = 0;
  barrier();
  for (const std::vector<int32_t>& ranks : groups) {
    if (std::ranges::binary_search(ranks, rank())) mine = wire_.communicator_seconds(ranks);
  }
  return slowest(mine);
}

std::optional<double> ProcessGroup::slowest(std::optional<double> mine) {
  double most = 0;
  for (const std::string& seconds : gather(mine ? std::to_string(*mine) : "")) {
    if (seconds.empty()) return std::nullopt;
    most = std::max(most, std::stod(seconds));
  }
  return most;
}

// ---- around a work

template <typename Action>
auto ProcessGroup::break_if_wire_lost(Action action) {
  try {
    return action();
  } catch (const WireLost& lost) {
    break_group(lost.what());
  }
}

void ProcessGroup::together(const std::function<void()>& work) {
  ++work_;
  std::ranges::fill(sent_, 0);
  std::ranges::fill(received_, 0);
  step_ = -1;
  waiting_for_ = -1;
  operations_ = 0;
  timed_out_ = false;
  last_heartbeat_ = Clock::now();
  Outcome mine{.rank = rank(), .kind = Outcome::Kind::ok, .operations = 0, .reason = ""};
  std::exception_ptr thrown;
  const auto failed = [&](Outcome::Kind kind, const std::string& reason) {
    thrown = std::current_exception();
    mine.kind = kind;
    mine.reason = reason.substr(0, kReasonLength);
  };
  try {
    work();
  } catch (const RanksDisagree&) {  // thrown on every rank, before anything is sent
    throw;
  } catch (const PeerFailed& error) {
    failed(Outcome::Kind::peer_failed, error.what());
  } catch (const TimedOut& error) {
    failed(Outcome::Kind::timed_out, error.what());
  } catch (const NoProgress& error) {
    failed(Outcome::Kind::timed_out, error.what());
  } catch (const std::bad_alloc&) {
    failed(Outcome::Kind::out_of_memory, "out of memory");
  } catch (const std::exception& error) {
    failed(Outcome::Kind::threw, error.what());
  } catch (...) {
    failed(Outcome::Kind::threw, "an unknown exception");
  }
  mine.operations = operations_;
  timed_out_ |= mine.kind == Outcome::Kind::timed_out;
  break_if_wire_lost([&] {
    if (thrown && mine.kind != Outcome::Kind::peer_failed) {
      post_to_others(NoteKind::failed, timed_out_ ? kTimedOut : "");
    }
    exchange_outcomes(mine);
  });
  if (rank() == 0 && thrown) std::rethrow_exception(thrown);
}

// Rank 0 learns how the work ended on all ranks, and tells them whether to drain messages. Throws
// on rank 0 if another rank's outcome explains a failure better than its own.
void ProcessGroup::exchange_outcomes(const Outcome& mine) {
  std::optional<Outcome> cause;
  bool to_drain = mine.kind != Outcome::Kind::ok;
  if (rank() > 0) {
    post(0, NoteKind::outcome, mine.text());
    try {
      const Note reply =
          wait_for_note(0, NoteKind::outcome_reply,
                        {.timeout_seconds = kReply * options_.timeout_seconds,
                         .after_timeout_seconds = kReplyAfterTimeout * options_.timeout_seconds});
      to_drain = reply.text == "drain";
    } catch (const TimedOut& timed_out) {
      break_group(name_of(0) + " does not answer; " +
                  (mine.reason.empty() ? timed_out.what() : mine.reason));
    }
  } else {
    cause = mine;
    for (const Outcome& outcome : collect_outcomes(mine)) {
      to_drain |= outcome.kind != Outcome::Kind::ok;
      if (outcome.explains_better(*cause)) cause = outcome;
    }
    post_to_others(NoteKind::outcome_reply, to_drain ? "drain" : "clean");
  }
  if (to_drain) drain();
  if (!cause || cause->rank == 0) return;
  if (cause->kind == Outcome::Kind::out_of_memory) throw std::bad_alloc();
  const std::string name = name_of(cause->rank);
  throw ExecutionFailure(cause->reason.starts_with(name) ? cause->reason
                                                         : name + ": " + cause->reason);
}

std::vector<ProcessGroup::Outcome> ProcessGroup::collect_outcomes(const Outcome& mine) {
  std::vector<Outcome> outcomes;
  std::vector<bool> answered(size());
  answered[0] = true;
  post_to_others(NoteKind::heartbeat, "");  // who has waited for this rank waits as long as it does
  const auto missing = [&] { return std::ranges::find(answered, false) - answered.begin(); };
  try {
    wait(
        [&] {
          Note note;
          while (poll(kAnyRank, NoteKind::outcome, note)) {
            answered[note.from] = true;
            outcomes.push_back(Outcome::of(note));
            timed_out_ |= outcomes.back().kind == Outcome::Kind::timed_out;
            last_progress_ = Clock::now();
          }
          return missing() == size();
        },
        kAnyRank,
        {.timeout_seconds = options_.timeout_seconds,
         .after_timeout_seconds = kAnswersAfterTimeout * options_.timeout_seconds});
  } catch (const TimedOut&) {
    Outcome cause = mine;
    for (const Outcome& outcome : outcomes) {
      if (outcome.explains_better(cause)) cause = outcome;
    }
    break_group(name_of(static_cast<int32_t>(missing())) + " does not answer" +
                (cause.reason.empty() ? "" : "; " + cause.reason));
  }
  return outcomes;
}

// Throws away all messages of the work that were sent and not received.
void ProcessGroup::drain() {
  for (int32_t other = 0; other < size(); ++other) {
    if (other != rank()) post(other, NoteKind::sent_count, std::to_string(sent_[other]));
  }
  const WaitOptions options{.timeout_seconds = options_.timeout_seconds};
  try {
    for (int32_t other = 0; other < size(); ++other) {
      if (other == rank()) continue;
      const int64_t sent =
          take_number(wait_for_note(other, NoteKind::sent_count, options).text).first;
      wait(
          [&] {
            while (received_[other] < sent) {
              const auto from = wire_.discard();
              if (!from) return false;
              ++received_[*from];
            }
            return true;
          },
          other, options);
    }
  } catch (const TimedOut& timed_out) {
    break_group(std::string("after a failure: ") + timed_out.what());
  }
}

void ProcessGroup::break_group(const std::string& why) {
  broken_ = true;
  throw GroupBroken(why);
}

void ProcessGroup::send_command(const std::string& command) {
  break_if_wire_lost([&] { post_to_others(NoteKind::command, command); });
}

std::string ProcessGroup::receive_command() {
  return break_if_wire_lost(
      [&] { return wait_for_note(0, NoteKind::command, {.timeout_seconds = 0}).text; });
}

std::string ProcessGroup::name_of(int32_t rank) const {
  return options_.rank_name + " " + std::to_string(rank);
}

std::string ProcessGroup::step_position() const {
  return step_ < 0 ? name_of(rank()) : step_text(name_of(rank()), pass_, step_);
}

std::string ProcessGroup::position() const {
  std::string text = step_position();
  if (waiting_for_ >= 0) text += ", waiting for a message from " + name_of(waiting_for_);
  return text;
}

}  // namespace cpbench
