// The transport of the ranks of one process by copies between the memories of their GPUs, which the
// copy engines do: an exchange takes no SM from the kernels that run meanwhile. Any number of ranks
// may share a GPU; timings are then not meaningful for a cluster.
//
// Every message has two flags (stream_flags.h). `ready`: the sender has written the data.
// `copied`: the receiver has copied it. In an exchange the stream of a rank
//   1. sets `ready` of each message that it sends,
//   2. of each message that it receives, waits for `ready`, copies the data and sets `copied`,
//   3. waits for `copied` of each message that it sends.
//
// The addresses of a message are the same in every iteration, so hosts wait for one another only in
// the first. If ranks share a GPU, streams may share a queue of its hardware, and one that waits
// would block another. Therefore a host then enqueues a wait only after the other host has enqueued
// what it waits for, in every iteration; such exchanges cannot be graphs.
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <tuple>

#include "harness/compile/program.h"
#include "harness/execute_cuda/device_transport.h"
#include "harness/execute_cuda/stream.h"
#include "harness/execute_cuda/stream_flags.h"

namespace cpbench {

class CopyTransport : public DeviceTransport {
 public:
  // `devices` are the GPUs by rank. `messages` is the number of all messages of a program: those
  // with the same ranks and tag have the same addresses.
  CopyTransport(std::vector<int32_t> devices, int64_t messages);
  void connect(std::span<const RankLinks>) override {}
  void exchange(int32_t rank, std::span<const DeviceMessage> sends,
                std::span<const DeviceMessage> receives, cudaStream_t stream) override;
  // Throws, because programs for this transport have no collectives.
  void collective(int32_t rank, const DeviceCollective& call, cudaStream_t stream) override;
  void barrier(int32_t rank, cudaStream_t stream) override;
  bool supports_graphs() const override { return !shared_; }
  void check(int32_t) override {}
  void close() override;

 private:
  struct Link {
    const std::byte* data = nullptr;  // of the sender
    int64_t bytes = 0;                // in the first exchange; later ones may have fewer
    int64_t ready = 0, copied = 0;    // flags
    int64_t sent = 0, received = 0;   // how often hosts have enqueued it, if GPUs are shared
  };
  using Key = std::tuple<int32_t, int32_t, int32_t>;  // from, to, tag

  template <typename Condition>
  void wait(const Condition& condition);
  Link& offer(const Key& key, const DeviceMessage& send);
  Link& accept(const Key& key, const DeviceMessage& receive);
  std::vector<DeviceMessage> in_rounds(int32_t rank, std::span<const DeviceMessage> receives) const;
  void host_barrier();  // of all ranks

  std::vector<int32_t> devices_;
  bool shared_;  // whether two ranks have the same GPU
  int64_t most_links_;
  StreamFlags flags_;
  std::vector<CudaEvent> arrived_;  // by rank
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<Key, Link> links_;
  int64_t waiting_ = 0, generation_ = 0;  // of the host's barrier
  bool closed_ = false;
};

// The messages of all ranks of the program.
int64_t messages_of(const Program& program);

}  // namespace cpbench
