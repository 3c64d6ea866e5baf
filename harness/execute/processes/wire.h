// How the processes of a run reach one another: what a library that connects them (MPI; the store
// of store_wire.h) must offer, and no more. Nothing here waits, so that every wait is
// ProcessGroup's, with its timeouts.
//
//   std::unique_ptr<Wire> wire = open_mpi_wire();      // in each process that mpirun started
//   wire->send(1, tag, bytes);                         // on rank 0
//   while (!(bytes = wire->receive(0, tag))) { ... }   // on rank 1
//
// Used by one thread only. Errors of the library are std::runtime_error; WireLost where nobody can
// be reached any more.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>

namespace cpbench {

// Short texts (a few hundred bytes) beside the data. Notes of one kind and one sender arrive in the
// order of posting. What each says: process_group.cc.
enum class NoteKind : uint8_t {
  alive,
  failed,
  arrived,
  value,
  verdict,
  outcome,
  settled,
  sent,
  word
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

  // Data. `bytes` may be reused at once. At most 2^31 - 1 bytes each.
  virtual void send(int32_t to, int32_t tag, std::span<const std::byte> bytes) = 0;
  // A step of receiving the oldest message of (from, tag): its bytes once it is whole, valid until
  // the next step. Until then the next step is the same one, or `discard`.
  virtual std::optional<std::span<const std::byte>> receive(int32_t from, int32_t tag) = 0;
  // A step of throwing away a message, the one that `receive` has begun before others, and those of
  // one sender in their order: the sender once it is gone.
  virtual std::optional<int32_t> discard() = 0;

  virtual void post(int32_t to, NoteKind kind, const std::string& text) = 0;
  virtual std::optional<Note> poll(int32_t from, NoteKind kind) = 0;  // from: or kAnyRank

  virtual void finish() = 0;  // on all ranks, with no message under way; nothing follows
  [[noreturn]] virtual void abort(int exit_code) = 0;  // ends all processes
};

// The wire of this build's MPI, loaded only now: the program itself needs no MPI to start. Throws
// UserError if it was built without, or if the library cannot be loaded.
std::unique_ptr<Wire> open_mpi_wire();

// What the module of harness/execute_mpi exports. If not all processes come within the timeout, it
// says so and ends this one.
inline constexpr const char* kWireModule = "cpbench_mpi.so";
inline constexpr const char* kWireFunction = "cpbench_open_mpi_wire";
using OpenWireFunction = Wire*(double timeout_seconds);

}  // namespace cpbench
