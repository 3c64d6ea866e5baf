// Notes, each after the number of the work it belongs to ("12 text"; older ones are dropped):
//   alive     a sign of life
//   failed    the sender has given up this work
//   arrived   a round of a barrier
//   value     to rank 0: what a rank has of the thing to agree on; `verdict` is its answer, "" or
//             the difference
//   outcome   to rank 0: how the work ended here; `settled` is its answer: "clean", or "drain" if
//             messages of the work may be under way
//   sent      how many messages of this work the sender has sent to the receiver
//   word      what rank 0 tells
#include "harness/execute/processes/process_group.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <exception>
#include <new>
#include <optional>
#include <thread>

namespace cpbench {
namespace {

constexpr size_t kReasonLength = 500;  // of a note: short
constexpr double kSignsPerTimeout = 8;
constexpr int32_t kTextTag = 0;  // any will do: messages of one sender and tag keep their order

// Another rank has failed; the text says what this one was waiting for.
class Told : public WorkEnded {
 public:
  using WorkEnded::WorkEnded;
};

class Stalled : public WorkEnded {
 public:
  using WorkEnded::WorkEnded;
};

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

struct ProcessGroup::Wait {
  bool heed_failures;      // of other ranks: throw Told
  double timeout_seconds;  // without progress: throw Stalled; 0: never
  bool hot;                // spins, because the time until it ends is measured
};

// How a work ended on one rank.
struct ProcessGroup::Outcome {
  enum class Kind : uint8_t { well, stalled, told, out_of_memory, threw };
  int32_t rank = 0;
  Kind kind = Kind::well;
  int64_t progress = 0;
  std::string reason;

  std::string text() const {
    return std::to_string(static_cast<int>(kind)) + " " + std::to_string(progress) + " " + reason;
  }
  static Outcome of(const Note& note) {
    size_t first = 0, second = 0;
    const int kind = std::stoi(note.text, &first);
    const int64_t progress = std::stoll(note.text.substr(first), &second);
    return {note.from, static_cast<Kind>(kind), progress, note.text.substr(first + second + 1)};
  }
  bool only_waited() const { return kind == Kind::stalled || kind == Kind::told; }
  // Whether this one is nearer to the cause than the other. Of those that waited it is the one that
  // is least far: the others wait for it, directly or not.
  bool explains_better(const Outcome& other) const {
    if (only_waited() && other.only_waited()) return progress < other.progress;
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
    size_t digits = 0;
    if (std::stoll(found->text, &digits) != work_) continue;
    note = {found->from, found->text.substr(digits + 1)};
    return true;
  }
  return false;
}

// Whether another rank has failed, if that is asked.
bool ProcessGroup::pump(bool heed_failures) {
  Note note;
  while (poll(kAnyRank, NoteKind::alive, note)) last_progress_ = Clock::now();
  return heed_failures && poll(kAnyRank, NoteKind::failed, note);
}

// `step` returns whether what it waits for has come.
template <typename Step>
void ProcessGroup::wait(Step step, int32_t waiting_for, const Wait& how) {
  constexpr int kStepsPerPump = 64;
  constexpr std::chrono::microseconds kPause{200};
  last_progress_ = Clock::now();
  waiting_for_.store(waiting_for, std::memory_order_relaxed);
  for (int steps = 1; !step(); ++steps) {
    if (!how.hot || steps % kStepsPerPump == 0) {
      const auto why = [&] {
        return where() + ": " +
               stall_text(how.timeout_seconds,
                          waiting_for < 0 ? "" : "a message from " + name_of(waiting_for));
      };
      if (pump(how.heed_failures)) throw Told(why());
      const bool ends = how.timeout_seconds > 0;
      if (ends && seconds_since(last_progress_) > how.timeout_seconds) throw Stalled(why());
    }
    if (how.hot) {
      std::this_thread::yield();  // there may be more ranks than cores
    } else {
      std::this_thread::sleep_for(kPause);
    }
  }
}

Note ProcessGroup::await(int32_t from, NoteKind kind, const Wait& how) {
  Note note;
  wait([&] { return poll(from, kind, note); }, from, how);
  return note;
}

// ---- inside a work

void ProcessGroup::at(int32_t, int32_t pass, int32_t step, int32_t waiting_for) {
  pass_.store(pass, std::memory_order_relaxed);
  step_.store(step, std::memory_order_relaxed);
  waiting_for_.store(waiting_for, std::memory_order_relaxed);
  ++progress_;
  show_life();
}

void ProcessGroup::show_life() {
  if (seconds_since(last_sign_) * kSignsPerTimeout < options_.timeout_seconds) return;
  last_sign_ = Clock::now();
  post_to_others(NoteKind::alive, "");
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
  const Wait how{true, options_.timeout_seconds, true};
  do {
    const auto piece = bytes.first(std::min(bytes.size(), options_.message_bytes));
    std::optional<std::span<const std::byte>> message;
    wait([&] { return (message = wire_.receive(from, tag)).has_value(); }, from, how);
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

// Dissemination: after round k a rank knows of the 2^(k+1) ranks up to itself.
void ProcessGroup::barrier() {
  for (int32_t distance = 1; distance < size(); distance *= 2) {
    post((rank() + distance) % size(), NoteKind::arrived, "");
    await((rank() - distance + size()) % size(), NoteKind::arrived,
          {true, options_.timeout_seconds, true});
  }
}

void ProcessGroup::agree(const std::string& what, const std::string& mine) {
  const Wait how{true, options_.timeout_seconds, false};
  if (rank() > 0) {
    post(0, NoteKind::value, mine);
    const std::string difference = await(0, NoteKind::verdict, how).text;
    if (!difference.empty()) throw RanksDisagree(difference);
    return;
  }
  std::string difference;
  for (int32_t other = 1; other < size(); ++other) {
    const std::string theirs = await(other, NoteKind::value, how).text;
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

void ProcessGroup::heed() {
  if (pump(true)) throw Told(where() + ": another rank has failed");
  show_life();
}

void ProcessGroup::send_text(int32_t to, const std::string& text) {
  const std::array<uint64_t, 1> size{text.size()};
  send(rank(), to, kTextTag, std::as_bytes(std::span(size)));
  send(rank(), to, kTextTag, std::as_bytes(std::span(text)));
}

std::string ProcessGroup::receive_text(int32_t from) {
  std::array<uint64_t, 1> size{};
  receive(from, rank(), kTextTag, std::as_writable_bytes(std::span(size)));
  std::string text(size[0], '\0');
  receive(from, rank(), kTextTag, std::as_writable_bytes(std::span(text)));
  return text;
}

// Rank 0 sends all texts as one, each after its length: "3 abc0 5 words".
std::vector<std::string> ProcessGroup::gather(const std::string& mine) {
  std::vector<std::string> all(size());
  if (rank() > 0) {
    send_text(0, mine);
    std::string rest = receive_text(0);
    for (std::string& text : all) {
      size_t digits = 0;
      const size_t length = std::stoul(rest, &digits);
      text = rest.substr(digits + 1, length);
      rest.erase(0, digits + 1 + length);
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

// ---- around a work

template <typename Talk>
auto ProcessGroup::unless_lost(Talk talk) {
  try {
    return talk();
  } catch (const WireLost& lost) {
    give_up(lost.what());
  }
}

void ProcessGroup::together(const std::function<void()>& work) {
  ++work_;
  std::ranges::fill(sent_, 0);
  std::ranges::fill(received_, 0);
  step_ = -1;
  waiting_for_ = -1;
  progress_ = 0;
  last_sign_ = Clock::now();
  Outcome mine{.rank = rank(), .kind = Outcome::Kind::well, .progress = 0, .reason = ""};
  std::exception_ptr thrown;
  const auto failed = [&](Outcome::Kind kind, const std::string& reason) {
    thrown = std::current_exception();
    mine.kind = kind;
    mine.reason = reason.substr(0, kReasonLength);
  };
  try {
    work();
  } catch (const RanksDisagree&) {  // on every rank alike, before anything is sent
    throw;
  } catch (const Told& error) {
    failed(Outcome::Kind::told, error.what());
  } catch (const Stalled& error) {
    failed(Outcome::Kind::stalled, error.what());
  } catch (const std::bad_alloc&) {
    failed(Outcome::Kind::out_of_memory, "out of memory");
  } catch (const std::exception& error) {
    failed(Outcome::Kind::threw, error.what());
  } catch (...) {
    failed(Outcome::Kind::threw, "an unknown exception");
  }
  mine.progress = progress_;
  unless_lost([&] {
    if (thrown && mine.kind != Outcome::Kind::told) post_to_others(NoteKind::failed, "");
    settle(mine);
  });
  if (rank() == 0 && thrown) std::rethrow_exception(thrown);
}

// Rank 0 learns how it ended everywhere, and tells what is to be done. Throws for what another rank
// explains better than this one.
void ProcessGroup::settle(const Outcome& mine) {
  std::optional<Outcome> cause;
  bool to_drain = mine.kind != Outcome::Kind::well;
  if (rank() > 0) {
    post(0, NoteKind::outcome, mine.text());
    // Longer than rank 0 waits for others: it is the one to say who is missing.
    try {
      to_drain =
          await(0, NoteKind::settled, {false, 3 * options_.timeout_seconds, false}).text == "drain";
    } catch (const Stalled& stalled) {
      give_up(name_of(0) + " does not answer; " +
              (mine.reason.empty() ? stalled.what() : mine.reason));
    }
  } else {
    cause = mine;
    for (const Outcome& outcome : collect(mine)) {
      to_drain |= outcome.kind != Outcome::Kind::well;
      if (outcome.explains_better(*cause)) cause = outcome;
    }
    post_to_others(NoteKind::settled, to_drain ? "drain" : "clean");
  }
  if (to_drain) drain();
  if (!cause || cause->rank == 0) return;
  if (cause->kind == Outcome::Kind::out_of_memory) throw std::bad_alloc();
  const std::string name = name_of(cause->rank);
  throw ExecutionFailure(cause->reason.starts_with(name) ? cause->reason
                                                         : name + ": " + cause->reason);
}

std::vector<ProcessGroup::Outcome> ProcessGroup::collect(const Outcome& mine) {
  std::vector<Outcome> outcomes;
  std::vector<bool> answered(size());
  answered[0] = true;
  const auto missing = [&] { return std::ranges::find(answered, false) - answered.begin(); };
  try {
    wait(
        [&] {
          Note note;
          while (poll(kAnyRank, NoteKind::outcome, note)) {
            answered[note.from] = true;
            outcomes.push_back(Outcome::of(note));
            last_progress_ = Clock::now();
          }
          return missing() == size();
        },
        kAnyRank, {false, options_.timeout_seconds, false});
  } catch (const Stalled&) {
    Outcome cause = mine;
    for (const Outcome& outcome : outcomes) {
      if (outcome.explains_better(cause)) cause = outcome;
    }
    give_up(name_of(static_cast<int32_t>(missing())) + " does not answer" +
            (cause.reason.empty() ? "" : "; " + cause.reason));
  }
  return outcomes;
}

// Throws away what was sent and never received.
void ProcessGroup::drain() {
  for (int32_t other = 0; other < size(); ++other) {
    if (other != rank()) post(other, NoteKind::sent, std::to_string(sent_[other]));
  }
  const Wait how{false, options_.timeout_seconds, false};
  try {
    for (int32_t other = 0; other < size(); ++other) {
      if (other == rank()) continue;
      const int64_t sent = std::stoll(await(other, NoteKind::sent, how).text);
      wait(
          [&] {
            while (received_[other] < sent) {
              const auto from = wire_.discard();
              if (!from) return false;
              ++received_[*from];
            }
            return true;
          },
          other, how);
    }
  } catch (const Stalled& stalled) {
    give_up(std::string("after a failure: ") + stalled.what());
  }
}

void ProcessGroup::give_up(const std::string& why) {
  broken_ = true;
  throw GroupBroken(why);
}

void ProcessGroup::tell(const std::string& word) {
  unless_lost([&] { post_to_others(NoteKind::word, word); });
}

std::string ProcessGroup::hear() {
  return unless_lost([&] { return await(0, NoteKind::word, {false, 0, false}).text; });
}

std::string ProcessGroup::name_of(int32_t rank) const {
  return options_.rank_name + " " + std::to_string(rank);
}

std::string ProcessGroup::where() const {
  return step_ < 0 ? name_of(rank()) : place_text(name_of(rank()), pass_, step_);
}

std::string ProcessGroup::place() const {
  std::string text = where();
  if (waiting_for_ >= 0) text += ", waiting for a message from " + name_of(waiting_for_);
  return text;
}

}  // namespace cpbench
