#include "harness/execute_cuda/copy_transport.h"

#include <algorithm>
#include <set>
#include <stdexcept>
#include <string>

#include "harness/execute/transport.h"

namespace cpbench {
namespace {

bool has_twice(const std::vector<int32_t>& devices) {
  return std::set<int32_t>(devices.begin(), devices.end()).size() < devices.size();
}

void enable_peer_access(const std::set<int32_t>& devices) {
  for (int32_t device : devices) {
    set_device(device);
    for (int32_t peer : devices) {
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

}  // namespace

int64_t messages_of(const Program& program) {
  int64_t messages = 0;
  for (const RankProgram& rank : program.ranks) messages += std::ssize(rank.messages);
  return messages / 2;  // each is of two ranks
}

CopyTransport::CopyTransport(std::vector<int32_t> devices, int64_t messages)
    : devices_(std::move(devices)),
      shared_(has_twice(devices_)),
      most_links_(messages),
      flags_(2 * messages) {
  for (int32_t device : devices_) {
    set_device(device);
    arrived_.emplace_back();
  }
  enable_peer_access({devices_.begin(), devices_.end()});
}

template <typename Condition>
void CopyTransport::wait(const Condition& condition) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return closed_ || condition(); });
  if (closed_) throw TransportClosed();
}

// What the sender has to say of a message.
CopyTransport::Link& CopyTransport::offer(const Key& key, const DeviceMessage& send) {
  const std::lock_guard lock(mutex_);
  if (closed_) throw TransportClosed();
  const auto [found, fresh] = links_.try_emplace(key);
  Link& link = found->second;
  if (fresh) {
    const int64_t number = std::ssize(links_) - 1;
    if (number >= most_links_) throw std::logic_error("more messages than the program has");
    link = {.data = send.data, .bytes = send.bytes, .ready = 2 * number, .copied = 2 * number + 1};
    changed_.notify_all();
  }
  if (link.data != send.data) throw std::logic_error("a message must keep its address");
  return link;
}

// What the receiver then knows of it.
CopyTransport::Link& CopyTransport::accept(const Key& key, const DeviceMessage& receive) {
  Link* link = nullptr;
  wait([&] {
    const auto found = links_.find(key);
    link = found == links_.end() ? nullptr : &found->second;
    return link != nullptr && (!shared_ || link->sent > link->received);
  });
  if (link->bytes < receive.bytes) {
    throw std::runtime_error("a message from rank " + std::to_string(receive.peer) + " has " +
                             std::to_string(link->bytes) + " bytes, not " +
                             std::to_string(receive.bytes));
  }
  return *link;
}

void CopyTransport::exchange(int32_t rank, std::span<const DeviceMessage> sends,
                             std::span<const DeviceMessage> receives, cudaStream_t stream) {
  const auto count = [this](int64_t& enqueued) {
    if (!shared_) return;
    {
      const std::lock_guard lock(mutex_);
      ++enqueued;
    }
    changed_.notify_all();
  };
  std::vector<Link*> sent;
  std::vector<int64_t> ready, copied;
  for (const DeviceMessage& send : sends) {
    sent.push_back(&offer({rank, send.peer, send.tag}, send));
    ready.push_back(sent.back()->ready);
    copied.push_back(sent.back()->copied);
  }
  flags_.set(ready, stream);
  for (Link* link : sent) count(link->sent);
  for (const DeviceMessage& receive : in_rounds(rank, receives)) {
    Link& link = accept({receive.peer, rank, receive.tag}, receive);
    flags_.wait({link.ready}, stream);
    check_cuda(cudaMemcpyAsync(receive.data, link.data, receive.bytes, cudaMemcpyDefault, stream),
               "cudaMemcpyAsync");
    flags_.set({link.copied}, stream);
    count(link.received);
  }
  for (Link* link : sent) {
    if (shared_) wait([&] { return link->received == link->sent; });
  }
  flags_.wait(copied, stream);
}

// So that at any time ranks copy from different ranks, where each copies from all others.
std::vector<DeviceMessage> CopyTransport::in_rounds(int32_t rank,
                                                    std::span<const DeviceMessage> receives) const {
  std::vector<DeviceMessage> ordered(receives.begin(), receives.end());
  const auto ranks = static_cast<int32_t>(devices_.size());
  std::ranges::stable_sort(ordered, {}, [&](const DeviceMessage& message) {
    return (message.peer - rank + ranks) % ranks;
  });
  return ordered;
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
  flags_.set_all();
}

}  // namespace cpbench
