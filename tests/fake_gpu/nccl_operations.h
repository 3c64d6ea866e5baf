// Communicators of the fake NCCL, and the operations that their streams run.
#pragma once

#include <nccl.h>

#include <atomic>
#include <map>
#include <memory>
#include <mutex>

#include "tests/fake_gpu/fake.h"
#include "tests/fake_gpu/mailbox.h"

namespace fake_gpu {

struct Comm {
  Comm(std::filesystem::path folder, int rank, int size, int device, bool blocking)
      : rank(rank),
        size(size),
        device(device),
        blocking(blocking),
        mailbox(std::move(folder), rank, size) {}
  const int rank, size, device;
  const bool blocking;
  std::atomic<ncclResult_t> state = ncclSuccess;  // as ncclCommGetAsyncError tells
  std::atomic<bool> aborted = false;
  std::atomic<bool> destroyed = false;
  std::mutex running;  // one group of operations at a time
  int64_t groups = 0;  // that began
  Mailbox mailbox;
};

enum class Operation : int32_t { send, receive, all_gather, reduce_scatter, all_reduce };

struct Call {
  Operation operation;
  const void* in;
  void* out;
  size_t count;  // elements; of all_gather and reduce_scatter: per rank
  ncclDataType_t datatype;
  ncclRedOp_t reduction;
  int peer;  // of send and receive
};

size_t bytes_of(ncclDataType_t datatype);

// Waits for the other ranks. Its buffers were checked before, and are again.
void join_communicator(Comm& comm);
void check_buffers(const Comm& comm, const Call& call);

// What the stream runs: returns once every counterpart has taken part, or the communicator was
// aborted. A rank that is to be absent, or after an injected error, waits for the latter.
void run_group(Comm& comm, const std::vector<Call>& calls);

}  // namespace fake_gpu
