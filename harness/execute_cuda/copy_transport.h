// Ranks of one process, any number on a GPU: a message is a copy from memory to memory, ordered by
// events. For correctness; as ranks share a GPU, its times say nothing of a cluster.
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <tuple>

#include "harness/execute_cuda/device_transport.h"
#include "harness/execute_cuda/stream.h"

namespace cpbench {

class CopyTransport : public DeviceTransport {
 public:
  // `devices`: of each rank.
  explicit CopyTransport(std::vector<int32_t> devices);
  void exchange(int32_t rank, std::span<const DeviceMessage> sends,
                std::span<const DeviceMessage> receives, cudaStream_t stream) override;
  // Programs for this transport have none.
  void collective(int32_t rank, const DeviceCollective& call, cudaStream_t stream) override;
  void barrier(int32_t rank, cudaStream_t stream) override;
  bool can_be_captured() const override { return false; }
  void check(int32_t) override {}
  void close() override;

 private:
  // What a sender offers until the receiver has taken it.
  struct Offer {
    const std::byte* data = nullptr;
    int64_t bytes = 0;
    cudaEvent_t ready = nullptr;
    cudaEvent_t taken = nullptr;  // of the receiver; nullptr: its copy is not enqueued yet
  };
  using Key = std::tuple<int32_t, int32_t, int32_t>;  // from, to, tag

  template <typename Condition>
  void wait(const Condition& condition);
  void take(const Key& key, const DeviceMessage& receive, cudaStream_t stream);
  void meet();  // of all ranks, on the host

  std::vector<int32_t> devices_;
  std::vector<CudaEvent> ready_, taken_, arrived_;  // by rank
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<Key, Offer> offers_;
  int64_t come_ = 0, meetings_ = 0;
  bool closed_ = false;
};

}  // namespace cpbench
