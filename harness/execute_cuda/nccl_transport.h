// The transport over NCCL, where each rank has a GPU.
//
// There is one communicator of all ranks. Collectives over all ranks are NCCL's collectives. All
// else in an exchange is one group of sends and receives, so groups of ranks need no communicators
// of their own; what creating those would cost can be measured.
#pragma once

#include <nccl.h>

#include <atomic>
#include <thread>
#include <vector>

#include "harness/execute/execute.h"
#include "harness/execute/processes/place_ranks.h"
#include "harness/execute_cuda/device_array.h"
#include "harness/execute_cuda/device_transport.h"

namespace cpbench {

// Throws std::runtime_error: "ncclGroupEnd: unhandled system error (...)".
void check_nccl(ncclResult_t code, const char* what);

class NcclTransport : public DeviceTransport {
 public:
  // Creates the communicators of this process's ranks. All processes must call it at the same time
  // with the id that the first one got from `new_id`. NCCL waits for all of them without a timeout
  // of its own, so this process prints an error and exits with code 1 when the timeout passes.
  NcclTransport(const ncclUniqueId& id, int32_t ranks, const RanksOfProcess& mine,
                double timeout_seconds, const NcclOptions& options = {});
  ~NcclTransport() override;
  static ncclUniqueId new_id();

  // Creates a communicator for each of these groups of ranks, which are sorted and have no rank in
  // common, by splitting that of all ranks, and destroys them. All processes must call it at the
  // same time, while no operation is in flight. Returns this process's time for the creation, to
  // which the first use of a communicator would add that of its connections.
  double creation_seconds(const std::vector<std::vector<int32_t>>& groups);

  void connect(std::span<const RankLinks> links) override;
  void exchange(int32_t rank, std::span<const DeviceMessage> sends,
                std::span<const DeviceMessage> receives, cudaStream_t stream) override;
  void collective(int32_t rank, const DeviceCollective& call, cudaStream_t stream) override;
  void barrier(int32_t rank, cudaStream_t stream) override;
  bool supports_graphs() const override { return true; }
  void check(int32_t rank) override;
  void close() override;

  bool closed() const { return closed_; }

 private:
  ncclComm_t of(int32_t rank) const { return communicators_[rank - first_rank_]; }

  int32_t first_rank_;
  std::vector<int32_t> devices_;
  double timeout_seconds_;
  std::vector<ncclComm_t> communicators_;
  // Of each rank: its part of the sum that is a barrier, and what it receives to connect.
  std::vector<DeviceArray<float>> tokens_;
  std::atomic<bool> closed_ = false;
  std::vector<std::thread> aborts_;  // one per communicator
};

}  // namespace cpbench
