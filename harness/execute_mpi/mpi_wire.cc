// The wire over MPI, as a module that `cpbench run --backend mpi` loads. This is the only file that
// uses MPI.
//
// Data and notes each have a communicator. A message is copied into a box when it is sent, and the
// box is reused once MPI has read it: ranks send before they receive, so a send that waited for its
// receiver would deadlock.
#include <mpi.h>
#include <unistd.h>

#include <deque>
#include <stdexcept>
#include <utility>
#include <vector>

#include "harness/execute/exit_on_timeout.h"
#include "harness/execute/processes/wire.h"
#include "harness/plan/seconds_text.h"

namespace cpbench {
namespace {

constexpr int kGroupTag = 1;  // of MPI_Comm_create_group; its groups have no common rank

void check(int code, const char* what) {
  if (code == MPI_SUCCESS) return;
  char text[MPI_MAX_ERROR_STRING] = {};
  int length = 0;
  MPI_Error_string(code, text, &length);
  throw std::runtime_error(std::string(what) + ": " + text);
}

// MPI_Init waits for all processes, and has no timeout of its own.
void init(double timeout_seconds) {
  const ExitOnTimeout timeout(
      timeout_seconds, "cpbench: error: MPI did not start within " + seconds_text(timeout_seconds) +
                           ": some of the processes that mpirun started never arrived");
  int provided = 0;
  check(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided), "MPI_Init_thread");
}

// Messages that are being sent.
class Outbox {
 public:
  void send(MPI_Comm comm, int to, int tag, std::span<const std::byte> bytes) {
    reclaim();
    Box box;
    if (!spare_.empty()) {
      box = std::move(spare_.back());
      spare_.pop_back();
    }
    box.assign(bytes.begin(), bytes.end());
    MPI_Request request = MPI_REQUEST_NULL;
    check(MPI_Isend(box.data(), static_cast<int>(box.size()), MPI_BYTE, to, tag, comm, &request),
          "MPI_Isend");
    sending_.emplace_back(request, std::move(box));
  }
  // Takes back the boxes that MPI has read, in order, so a slow receiver delays the reuse of later
  // boxes.
  void reclaim() {
    while (!sending_.empty()) {
      int done = 0;
      check(MPI_Test(&sending_.front().first, &done, MPI_STATUS_IGNORE), "MPI_Test");
      if (!done) return;
      spare_.push_back(std::move(sending_.front().second));
      sending_.pop_front();
    }
  }
  bool empty() const { return sending_.empty(); }

 private:
  using Box = std::vector<std::byte>;
  std::deque<std::pair<MPI_Request, Box>> sending_;
  std::vector<Box> spare_;
};

// One message that is being received. It is matched first and then read into a box of its own, so
// the receiver may give up at any time.
class Inbox {
 public:
  // Returns true once the message has arrived completely.
  bool step(MPI_Comm comm, int from, int tag) {
    int flag = 0;
    if (request_ == MPI_REQUEST_NULL) {
      MPI_Message message;
      MPI_Status status;
      check(MPI_Improbe(from, tag, comm, &flag, &message, &status), "MPI_Improbe");
      if (!flag) return false;
      from_ = status.MPI_SOURCE;
      check(MPI_Get_count(&status, MPI_BYTE, &size_), "MPI_Get_count");
      if (box_.size() < static_cast<size_t>(size_)) box_.resize(size_);
      check(MPI_Imrecv(box_.data(), size_, MPI_BYTE, &message, &request_), "MPI_Imrecv");
    }
    check(MPI_Test(&request_, &flag, MPI_STATUS_IGNORE), "MPI_Test");
    return flag;
  }
  int from() const { return from_; }
  std::span<const std::byte> bytes() const { return {box_.data(), static_cast<size_t>(size_)}; }

 private:
  std::vector<std::byte> box_;  // never shrinks
  MPI_Request request_ = MPI_REQUEST_NULL;
  int from_ = -1;
  int size_ = 0;
};

class MpiWire : public Wire {
 public:
  explicit MpiWire(double timeout_seconds) : timeout_seconds_(timeout_seconds) {
    init(timeout_seconds);
    check(MPI_Comm_dup(MPI_COMM_WORLD, &data_), "MPI_Comm_dup");
    check(MPI_Comm_dup(MPI_COMM_WORLD, &notes_), "MPI_Comm_dup");
    // Also of the world: it learns when a process dies, and would end this one without a message.
    for (MPI_Comm comm : {MPI_COMM_WORLD, data_, notes_}) {
      MPI_Comm_set_errhandler(comm, MPI_ERRORS_RETURN);
    }
    MPI_Comm_rank(data_, &rank_);
    MPI_Comm_size(data_, &size_);
    MPI_Comm node;
    check(MPI_Comm_split_type(data_, MPI_COMM_TYPE_SHARED, rank_, MPI_INFO_NULL, &node),
          "MPI_Comm_split_type");
    MPI_Comm_size(node, &ranks_on_node_);
    MPI_Comm_free(&node);
    void* limit = nullptr;
    int known = 0;
    MPI_Comm_get_attr(data_, MPI_TAG_UB, &limit, &known);
    if (known) largest_tag_ = *static_cast<int*>(limit);
  }

  int32_t rank() const override { return rank_; }
  int32_t size() const override { return size_; }
  int32_t ranks_on_node() const override { return ranks_on_node_; }

  // "Open MPI v4.1.4, package: ..." up to the first comma, or to the end of the line.
  std::string library() const override {
    char text[MPI_MAX_LIBRARY_VERSION_STRING] = {};
    int length = 0;
    MPI_Get_library_version(text, &length);
    const std::string version = text;
    return version.substr(0, version.find_first_of(",\n"));
  }

  void send(int32_t to, int32_t tag, std::span<const std::byte> bytes) override {
    require(tag);
    out_.send(data_, to, tag, bytes);
  }

  std::optional<std::span<const std::byte>> receive(int32_t from, int32_t tag) override {
    require(tag);
    out_.reclaim();
    if (!in_.step(data_, from, tag)) return std::nullopt;
    return in_.bytes();
  }

  std::optional<int32_t> discard() override {
    out_.reclaim();
    if (!in_.step(data_, MPI_ANY_SOURCE, MPI_ANY_TAG)) return std::nullopt;
    return in_.from();
  }

  void post(int32_t to, NoteKind kind, const std::string& text) override {
    note_out_.send(notes_, to, static_cast<int>(kind), std::as_bytes(std::span(text)));
  }

  std::optional<Note> poll(int32_t from, NoteKind kind) override {
    note_out_.reclaim();
    int flag = 0;
    MPI_Message message;
    MPI_Status status;
    check(MPI_Improbe(from == kAnyRank ? MPI_ANY_SOURCE : from, static_cast<int>(kind), notes_,
                      &flag, &message, &status),
          "MPI_Improbe");
    if (!flag) return std::nullopt;
    int size = 0;
    check(MPI_Get_count(&status, MPI_BYTE, &size), "MPI_Get_count");
    Note note{status.MPI_SOURCE, std::string(size, '\0')};
    // Notes are short, so this one has arrived and the call does not wait.
    check(MPI_Mrecv(note.text.data(), size, MPI_BYTE, &message, &status), "MPI_Mrecv");
    return note;
  }

  // MPI waits for all of the ranks, and has no timeout of its own.
  std::optional<double> communicator_seconds(std::span<const int32_t> ranks) override {
    const ExitOnTimeout timeout(timeout_seconds_,
                                "cpbench: error: MPI did not create a communicator within " +
                                    seconds_text(timeout_seconds_));
    MPI_Group all, group;
    check(MPI_Comm_group(data_, &all), "MPI_Comm_group");
    check(MPI_Group_incl(all, static_cast<int>(ranks.size()), ranks.data(), &group),
          "MPI_Group_incl");
    MPI_Comm created;
    const double start = MPI_Wtime();
    check(MPI_Comm_create_group(data_, group, kGroupTag, &created), "MPI_Comm_create_group");
    const double seconds = MPI_Wtime() - start;
    check(MPI_Comm_free(&created), "MPI_Comm_free");
    MPI_Group_free(&group);
    MPI_Group_free(&all);
    return seconds;
  }

  // It waits for all processes, and has no timeout of its own.
  void finish() override {
    const ExitOnTimeout timeout(timeout_seconds_, "cpbench: error: MPI did not end within " +
                                                      seconds_text(timeout_seconds_) +
                                                      ": some of the processes do not answer");
    while (!out_.empty() || !note_out_.empty()) {
      out_.reclaim();
      note_out_.reclaim();
    }
    check(MPI_Finalize(), "MPI_Finalize");
  }

  [[noreturn]] void abort(int exit_code) override {
    MPI_Abort(MPI_COMM_WORLD, exit_code);
    _exit(exit_code);
  }

 private:
  void require(int32_t tag) const {
    if (tag <= largest_tag_) return;
    throw std::runtime_error("the plan has a message with tag " + std::to_string(tag) +
                             ", and this MPI library supports tags up to " +
                             std::to_string(largest_tag_));
  }

  MPI_Comm data_ = MPI_COMM_NULL;
  MPI_Comm notes_ = MPI_COMM_NULL;
  double timeout_seconds_;
  int rank_ = 0;
  int size_ = 0;
  int ranks_on_node_ = 0;
  int largest_tag_ = 32767;  // every MPI library supports at least this one
  Outbox out_, note_out_;
  Inbox in_;
};

}  // namespace
}  // namespace cpbench

extern "C" cpbench::Wire* cpbench_open_mpi_wire(double timeout_seconds) {
  return new cpbench::MpiWire(timeout_seconds);
}
