// A wire connects the processes of a run. It is the little that a library (MPI, or the TCPStore of
// store_wire.h) has to offer. Nothing here waits: ProcessGroup does all waiting, with its timeouts.
//
//   std::unique_ptr<Wire> wire = open_mpi_wire();      // in each process that mpirun started
//   wire->send(1, tag, bytes);                         // on rank 0
//   while (!(bytes = wire->receive(0, tag))) { ... }   // on rank 1
//
// A wire carries data (messages of the program, matched by sender and tag) and notes (short texts
// by which the processes of a group agree, fail and end together). It is used by one thread only.
// Errors of the library are std::runtime_error; WireLost if no other process can be reached any
// more.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>

namespace cpbench {

// Notes are texts of a few hundred bytes. Notes of one kind from one sender arrive in the order in
// which they were posted. process_group.cc says what each kind means.
enum class NoteKind : uint8_t {
  heartbeat,
  failed,
  barrier,
  value,
  verdict,
  outcome,
  outcome_reply,
  sent_count,
  command
};

struct Note {
  int32_t from = -1;
  std::string text;
};

inline constexpr int32_t kAnyRank = -1;

class WireLost : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class Wire {
 public:
  virtual ~Wire() = default;
  virtual int32_t rank() const = 0;
  virtual int32_t size() const = 0;
  virtual int32_t ranks_on_node() const = 0;
  virtual std::string library() const = 0;  // "Open MPI 4.1.4"

  // Sends at most 2^31 - 1 bytes. The caller may reuse `bytes` when this returns.
  virtual void send(int32_t to, int32_t tag, std::span<const std::byte> bytes) = 0;
  // Tries to receive the oldest message of (from, tag). Returns its bytes once it has arrived
  // completely; they are valid until the next call. Until then the caller must repeat the same
  // call, or call `discard`.
  virtual std::optional<std::span<const std::byte>> receive(int32_t from, int32_t tag) = 0;
  // Tries to throw away one message: first the one that `receive` has begun, then those of each
  // sender in order. Returns the sender once the message is gone.
  virtual std::optional<int32_t> discard() = 0;

  virtual void post(int32_t to, NoteKind kind, const std::string& text) = 0;
  virtual std::optional<Note> poll(int32_t from, NoteKind kind) = 0;  // from: a rank or kAnyRank

  // Creates a communicator of these ranks, of which this one is one, as a library of groups would,
  // and frees it. All of them must call it, and nobody else. Returns how long creating it took;
  // nothing if the wire's library has no communicators.
  virtual std::optional<double> communicator_seconds(std::span<const int32_t> ranks) {
    static_cast<void>(ranks);
    return std::nullopt;
  }

  virtual void finish() = 0;  // on all ranks, when no message is in flight; the last call
  [[noreturn]] virtual void abort(int exit_code) = 0;  // ends all processes
};

// Opens the wire over this build's MPI. The MPI library is loaded only now, so the program itself
// starts without it. Throws UserError if cpbench was built without MPI, or if the library cannot be
// loaded.
std::unique_ptr<Wire> open_mpi_wire();

// What the module of harness/execute_mpi exports. If not all processes arrive within the timeout,
// it prints an error and ends this process.
inline constexpr const char* kWireModule = "cpbench_mpi.so";
inline constexpr const char* kWireFunction = "cpbench_open_mpi_wire";
using OpenWireFunction = Wire*(double timeout_seconds);

}  // namespace cpbench
