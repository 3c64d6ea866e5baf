// A device transport moves bytes between the GPU memories of ranks and knows nothing of attention.
//
//   transport.exchange(rank, sends, receives, stream);   // enqueues; runs when the stream gets to
//   it
//
// Each rank calls it from a thread of its own, whose current GPU must be the rank's. All ranks must
// call exchanges in the same order.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>
#include <set>
#include <span>
#include <vector>

#include "harness/plan/plan.h"
#include "harness/plan/problem.h"

namespace cpbench {

struct DeviceMessage {
  std::byte* data = nullptr;
  int64_t bytes = 0;
  int32_t peer = 0;
  int32_t tag = 0;  // the messages of an exchange between two ranks must be sorted by it
};

// CollectiveOp (harness/compile/program.h) describes collectives.
struct DeviceCollective {
  CollectiveKind kind = CollectiveKind::all_gather;
  const std::byte* source = nullptr;
  std::byte* blocks = nullptr;
  int64_t bytes = 0;                // of one block
  Dtype elements = Dtype::float32;  // type of what a reduce_scatter sums
};

// What one rank exchanges in a program.
struct RankLinks {
  std::set<int32_t> sends_to, receives_from;
  std::vector<DeviceCollective> collectives;  // one of each kind and size, in the same order on all
};

class DeviceTransport {
 public:
  virtual ~DeviceTransport() = default;
  // Connects this process's ranks to their peers, so that no exchange allocates memory. All
  // processes must call it at the same time, each from one thread, which may have another GPU
  // current afterwards. Changes the blocks of the collectives.
  virtual void connect(std::span<const RankLinks> links) = 0;
  // All messages of an exchange start together, and the exchange is done when all of them are.
  virtual void exchange(int32_t rank, std::span<const DeviceMessage> sends,
                        std::span<const DeviceMessage> receives, cudaStream_t stream) = 0;
  // All ranks must call the same collectives in the same order.
  virtual void collective(int32_t rank, const DeviceCollective& call, cudaStream_t stream) = 0;
  // No rank's stream continues before all ranks' streams have reached the barrier.
  virtual void barrier(int32_t rank, cudaStream_t stream) = 0;
  // Whether an iteration can be captured as a CUDA graph.
  virtual bool supports_graphs() const = 0;
  // Throws if the library has reported an asynchronous error.
  virtual void check(int32_t rank) = 0;
  // May be called from any thread. All calls throw TransportClosed from now on, also those that are
  // waiting, and streams that wait for the transport continue.
  virtual void close() = 0;
};

}  // namespace cpbench
