// The transport for ranks of one process that may share GPUs: a message is a copy between memories,
// ordered by events. It is for tests of correctness. Because ranks share a GPU, its timings are not
// meaningful for a cluster.
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
  // `devices` are the GPUs by rank.
  explicit CopyTransport(std::vector<int32_t> devices);
  void connect(std::span<const RankLinks>) override {}
  void exchange(int32_t rank, std::span<const DeviceMessage> sends,
                std::span<const DeviceMessage> receives, cudaStream_t stream) override;
  // Throws, because programs for this transport have no collectives.
  void collective(int32_t rank, const DeviceCollective& call, cudaStream_t stream) override;
  void barrier(int32_t rank, cudaStream_t stream) override;
  bool supports_graphs() const override { return false; }
  void check(int32_t) override {}
  void close() override;

 private:
  // A message that a sender offers until the receiver has copied it.
  struct Offer {
    const std::byte* data = nullptr;
    int64_t bytes = 0;
    cudaEvent_t ready = nullptr;   // the sender has written the data
    cudaEvent_t copied = nullptr;  // the receiver has copied it; nullptr: the copy is not enqueued
  };
  using Key = std::tuple<int32_t, int32_t, int32_t>;  // from, to, tag

  template <typename Condition>
  void wait(const Condition& condition);
  void copy_offer(const Key& key, const DeviceMessage& receive, cudaStream_t stream);
  void host_barrier();  // of all ranks

  std::vector<int32_t> devices_;
  std::vector<CudaEvent> ready_, copied_, arrived_;  // by rank
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<Key, Offer> offers_;
  int64_t waiting_ = 0, generation_ = 0;  // of the host's barrier
  bool closed_ = false;
};

}  // namespace cpbench
