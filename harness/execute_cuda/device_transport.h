// Moves bytes between the memories of ranks and knows nothing of attention.
//
// Each rank calls from a thread of its own, with its GPU current, and enqueues: what a call says
// happens when the stream comes to it. Exchanges come in the same order on all ranks.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>
#include <span>
#include <vector>

#include "harness/plan/plan.h"
#include "harness/plan/problem.h"

namespace cpbench {

struct DeviceMessage {
  std::byte* data = nullptr;
  int64_t bytes = 0;
  int32_t peer = 0;
  int32_t tag = 0;  // between two ranks, messages of an exchange are sorted by it
};

// As CollectiveOp (harness/compile/program.h).
struct DeviceCollective {
  CollectiveKind kind = CollectiveKind::all_gather;
  const std::byte* source = nullptr;
  std::byte* blocks = nullptr;
  int64_t bytes = 0;                // of a block
  Dtype elements = Dtype::float32;  // that are summed
};

class DeviceTransport {
 public:
  virtual ~DeviceTransport() = default;
  // One grouped exchange: all of it starts together, and is done when all of it is done.
  virtual void exchange(int32_t rank, std::span<const DeviceMessage> sends,
                        std::span<const DeviceMessage> receives, cudaStream_t stream) = 0;
  // All ranks call the same ones in the same order.
  virtual void collective(int32_t rank, const DeviceCollective& call, cudaStream_t stream) = 0;
  // No rank's stream passes before all have come.
  virtual void barrier(int32_t rank, cudaStream_t stream) = 0;
  // Whether a whole iteration can be captured as a CUDA graph.
  virtual bool can_be_captured() const = 0;
  // Throws what the library found out meanwhile.
  virtual void check(int32_t rank) = 0;
  // From any thread: whoever waits, or comes, throws TransportClosed, and streams go on.
  virtual void close() = 0;
};

}  // namespace cpbench
