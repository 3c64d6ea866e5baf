// Ranks with a GPU each, over NCCL.
//
// One communicator of all ranks. Collectives over all of them are NCCL's; all else of an exchange
// is one group of sends and receives, so no group of ranks needs a communicator of its own.
#pragma once

#include <nccl.h>

#include <atomic>
#include <functional>

#include "harness/execute_cuda/device_array.h"
#include "harness/execute_cuda/device_transport.h"

namespace cpbench {

// As check_cuda: "ncclGroupEnd: unhandled system error (...)".
void check_nccl(ncclResult_t code, const char* what);

class NcclTransport : public DeviceTransport {
 public:
  // Makes the communicators of ranks [first_rank, first_rank + devices.size()) of this process.
  // Every process calls at the same time with the id of the first one's `new_id`. NCCL waits for
  // all of them, and cannot be told for how long: when the timeout is over, this process ends with
  // exit code 1 and one line that says so.
  NcclTransport(const ncclUniqueId& id, int32_t ranks, int32_t first_rank,
                const std::vector<int32_t>& devices, double timeout_seconds);
  ~NcclTransport() override;
  static ncclUniqueId new_id();

  void exchange(int32_t rank, std::span<const DeviceMessage> sends,
                std::span<const DeviceMessage> receives, cudaStream_t stream) override;
  void collective(int32_t rank, const DeviceCollective& call, cudaStream_t stream) override;
  void barrier(int32_t rank, cudaStream_t stream) override;
  bool can_be_captured() const override { return true; }
  void check(int32_t rank) override;
  void close() override;

  bool closed() const { return closed_; }

 private:
  ncclComm_t of(int32_t rank) const { return communicators_[rank - first_rank_]; }

  int32_t first_rank_;
  std::vector<ncclComm_t> communicators_;
  std::vector<DeviceArray<float>> tokens_;  // what a barrier sums
  std::atomic<bool> closed_ = false;
};

}  // namespace cpbench
