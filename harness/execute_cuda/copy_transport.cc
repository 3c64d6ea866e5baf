// In an exchange a rank
//   1. offers the messages that it sends,
//   2. enqueues a copy of each message that it receives,
//   3. makes its stream wait until its own messages have been copied, and withdraws the offers.
// A rank records the same events again in each exchange, so it returns only when all its peers have
// enqueued their waits for them.
#include "harness/execute_cuda/copy_transport.h"

#include <set>
#include <stdexcept>
#include <string>

#include "harness/execute/transport.h"

namespace cpbench {

CopyTransport::CopyTransport(std::vector<int32_t> devices) : devices_(std::move(devices)) {
  for (int32_t device : devices_) {
    set_device(device);
    for (auto* events : {&ready_, &copied_, &arrived_}) events->emplace_back();
  }
  const std::set<int32_t> all(devices_.begin(), devices_.end());
  for (int32_t device : all) {
    set_device(device);
    for (int32_t peer : all) {
      int reachable = 0;
      if (peer == device) continue;
      check_cuda(cudaDeviceCanAccessPeer(&reachable, device, peer), "cudaDeviceCanAccessPeer");
      if (!reachable) continue;  // copies go through the host
      const cudaError_t code = cudaDeviceEnablePeerAccess(peer, 0);
      if (code == cudaErrorPeerAccessAlreadyEnabled) {
        forget_cuda_error();
      } else {
        check_cuda(code, "cudaDeviceEnablePeerAccess");
      }
    }
  }
}

template <typename Condition>
void CopyTransport::wait(const Condition& condition) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return closed_ || condition(); });
  if (closed_) throw TransportClosed();
}

void CopyTransport::exchange(int32_t rank, std::span<const DeviceMessage> sends,
                             std::span<const DeviceMessage> receives, cudaStream_t stream) {
  ready_[rank].record(stream);
  {
    const std::lock_guard lock(mutex_);
    if (closed_) throw TransportClosed();
    for (const DeviceMessage& send : sends) {
      offers_[{rank, send.peer, send.tag}] = {send.data, send.bytes, ready_[rank], nullptr};
    }
  }
  changed_.notify_all();
  std::vector<Key> copied;
  for (const DeviceMessage& receive : receives) {
    const Key key{receive.peer, rank, receive.tag};
    wait([&] { return offers_.contains(key); });
    copy_offer(key, receive, stream);
    copied.push_back(key);
  }
  copied_[rank].record(stream);
  {
    const std::lock_guard lock(mutex_);
    for (const Key& key : copied) offers_.at(key).copied = copied_[rank];
  }
  changed_.notify_all();
  for (const DeviceMessage& send : sends) {
    const Key key{rank, send.peer, send.tag};
    wait([&] { return offers_.at(key).copied != nullptr; });
    const std::lock_guard lock(mutex_);
    check_cuda(cudaStreamWaitEvent(stream, offers_.at(key).copied, 0), "cudaStreamWaitEvent");
    offers_.erase(key);
  }
  changed_.notify_all();
  for (const Key& key : copied) {
    wait([&] { return !offers_.contains(key); });
  }
}

void CopyTransport::copy_offer(const Key& key, const DeviceMessage& receive, cudaStream_t stream) {
  const std::lock_guard lock(mutex_);
  const Offer& offer = offers_.at(key);
  const auto& [from, to, tag] = key;
  if (offer.bytes != receive.bytes) {
    throw std::runtime_error("a message from rank " + std::to_string(from) + " has " +
                             std::to_string(offer.bytes) + " bytes, not " +
                             std::to_string(receive.bytes));
  }
  check_cuda(cudaStreamWaitEvent(stream, offer.ready, 0), "cudaStreamWaitEvent");
  check_cuda(cudaMemcpyPeerAsync(receive.data, devices_[to], offer.data, devices_[from],
                                 receive.bytes, stream),
             "cudaMemcpyPeerAsync");
}

void CopyTransport::host_barrier() {
  std::unique_lock lock(mutex_);
  const int64_t generation = generation_;
  if (++waiting_ == std::ssize(devices_)) {
    waiting_ = 0;
    ++generation_;
    changed_.notify_all();
  }
  changed_.wait(lock, [&] { return closed_ || generation_ != generation; });
  if (closed_) throw TransportClosed();
}

void CopyTransport::collective(int32_t, const DeviceCollective&, cudaStream_t) {
  throw std::logic_error("programs for the copy transport must not have collectives");
}

void CopyTransport::barrier(int32_t rank, cudaStream_t stream) {
  arrived_[rank].record(stream);
  host_barrier();
  for (const CudaEvent& arrived : arrived_) arrived.make_wait(stream);
  host_barrier();  // no rank records its event again before all streams wait for it
}

void CopyTransport::close() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  changed_.notify_all();
}

}  // namespace cpbench
