// The communicators of the fake NCCL, and the operations that their streams run.
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
  std::atomic<ncclResult_t> state = ncclSuccess;  // returned by ncclCommGetAsyncError
  std::atomic<bool> aborted = false;
  std::atomic<bool> destroyed = false;
  std::atomic<int> graphs = 0;  // operations in graphs that exist
  std::mutex running;           // one group of operations at a time
  int64_t groups = 0;           // that have begun
  int splits = 0;               // that have begun
  Mailbox mailbox;
};

enum class Operation : int32_t { send, receive, all_gather, reduce_scatter, all_reduce };

struct Call {
  Operation operation;
  const void* in;
  void* out;
  size_t count;  // elements; per rank for all_gather and reduce_scatter
  ncclDataType_t datatype;
  ncclRedOp_t reduction;
  int peer;  // for send and receive
};

size_t bytes_of(ncclDataType_t datatype);

// Waits for the other ranks.
void join_communicator(Comm& comm);
// The rank's communicator of the ranks with the same color, in the order of their keys; null if it
// has none.
std::shared_ptr<Comm> split_communicator(Comm& all, int color, int key);
// Misuse if the buffers are not in the memory of the communicator's device.
void check_buffers(const Comm& comm, const Call& call);

// Runs on the stream. Checks the buffers again, and returns when all counterparts have taken part
// or the communicator was aborted. A rank that should be absent, or has an injected error, waits
// for the abort.
void run_group(Comm& comm, const std::vector<Call>& calls);

}  // namespace fake_gpu
