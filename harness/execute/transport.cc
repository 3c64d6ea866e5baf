#include "harness/execute/transport.h"

#include <algorithm>
#include <string>

namespace cpbench {

void Mailbox::send(int32_t from, int32_t to, int32_t tag, std::span<const std::byte> bytes) {
  Inbox& inbox = inboxes_[to];
  Box box;
  {
    const std::lock_guard lock(inbox.mutex);
    if (inbox.closed) throw TransportClosed();
    if (auto spare = inbox.spare.find(bytes.size()); spare != inbox.spare.end()) {
      box = std::move(spare->second);
      inbox.spare.erase(spare);
    }
  }
  box.assign(bytes.begin(), bytes.end());
  {
    const std::lock_guard lock(inbox.mutex);
    inbox.waiting[{from, tag}].push_back(std::move(box));
  }
  inbox.changed.notify_all();
}

void Mailbox::receive(int32_t from, int32_t to, int32_t tag, std::span<std::byte> bytes) {
  Inbox& inbox = inboxes_[to];
  Box box;
  {
    std::unique_lock lock(inbox.mutex);
    std::deque<Box>& queue = inbox.waiting[{from, tag}];
    inbox.changed.wait(lock, [&] { return inbox.closed || !queue.empty(); });
    if (inbox.closed) throw TransportClosed();
    box = std::move(queue.front());
    queue.pop_front();
  }
  if (box.size() != bytes.size()) {
    throw std::runtime_error("a message from rank " + std::to_string(from) + " has " +
                             std::to_string(box.size()) + " bytes, not " +
                             std::to_string(bytes.size()));
  }
  std::ranges::copy(box, bytes.begin());
  const std::lock_guard lock(inbox.mutex);
  inbox.spare.emplace(box.size(), std::move(box));
}

void Mailbox::close() {
  for (Inbox& inbox : inboxes_) {
    {
      const std::lock_guard lock(inbox.mutex);
      inbox.closed = true;
    }
    inbox.changed.notify_all();
  }
}

CountingTransport::CountingTransport(Transport& inner, int32_t ranks)
    : inner_(inner),
      ranks_(ranks),
      bytes_(static_cast<size_t>(ranks) * ranks),
      messages_(static_cast<size_t>(ranks) * ranks) {}

void CountingTransport::reset(int32_t from) {
  const size_t row = static_cast<size_t>(from) * ranks_;
  std::fill_n(bytes_.begin() + row, ranks_, 0);
  std::fill_n(messages_.begin() + row, ranks_, 0);
}

void CountingTransport::send(int32_t from, int32_t to, int32_t tag,
                             std::span<const std::byte> bytes) {
  inner_.send(from, to, tag, bytes);
  const size_t at = static_cast<size_t>(from) * ranks_ + to;
  bytes_[at] += static_cast<int64_t>(bytes.size());
  messages_[at] += 1;
}

}  // namespace cpbench
