// Counts what another transport moves. A collective counts as one message to each other rank,
// however the library moves the data.
#pragma once

#include "harness/execute_cuda/device_transport.h"

namespace cpbench {

// Each rank must call it from only one thread, so that its counts need no lock.
class CountingDeviceTransport : public DeviceTransport {
 public:
  CountingDeviceTransport(DeviceTransport& inner, int32_t ranks)
      : inner_(inner), counts_(ranks, {std::vector<int64_t>(ranks), std::vector<int64_t>(ranks)}) {}

  void connect(std::span<const RankLinks> links) override { inner_.connect(links); }
  void exchange(int32_t rank, std::span<const DeviceMessage> sends,
                std::span<const DeviceMessage> receives, cudaStream_t stream) override {
    inner_.exchange(rank, sends, receives, stream);
    Counts& mine = counts_[rank];
    if (mine.stopped) return;
    for (const DeviceMessage& message : sends) {
      mine.bytes[message.peer] += message.bytes;
      ++mine.messages[message.peer];
    }
  }
  void collective(int32_t rank, const DeviceCollective& call, cudaStream_t stream) override {
    inner_.collective(rank, call, stream);
    Counts& mine = counts_[rank];
    if (mine.stopped) return;
    for (int32_t peer = 0; peer < std::ssize(counts_); ++peer) {
      if (peer == rank) continue;
      mine.bytes[peer] += call.bytes;
      ++mine.messages[peer];
    }
  }
  void barrier(int32_t rank, cudaStream_t stream) override { inner_.barrier(rank, stream); }
  bool supports_graphs() const override { return inner_.supports_graphs(); }
  void check(int32_t rank) override { inner_.check(rank); }
  void close() override { inner_.close(); }

  void stop_counting(int32_t rank) { counts_[rank].stopped = true; }
  const std::vector<int64_t>& bytes_from(int32_t rank) const { return counts_[rank].bytes; }
  const std::vector<int64_t>& messages_from(int32_t rank) const { return counts_[rank].messages; }

 private:
  struct Counts {
    std::vector<int64_t> bytes, messages;  // by receiver
    bool stopped = false;
  };
  DeviceTransport& inner_;
  std::vector<Counts> counts_;  // by sender
};

}  // namespace cpbench
