// A transport moves bytes between ranks and knows nothing of attention.
//
//   Mailbox mailbox(ranks);
//   CountingTransport transport(mailbox, ranks);
//   transport.send(0, 1, tag, bytes);      // on rank 0; returns when `bytes` may be reused
//   transport.receive(0, 1, tag, buffer);  // on rank 1; waits for the message
//   transport.close();                     // on any thread: all calls throw from now on
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <span>
#include <stdexcept>
#include <vector>

namespace cpbench {

class TransportClosed : public std::runtime_error {
 public:
  TransportClosed() : std::runtime_error("the transport was closed") {}
};

// Messages with the same (from, to, tag) arrive in the order in which they were sent. `receive`
// throws std::runtime_error if the message has another size than `bytes`. All calls throw
// TransportClosed once the transport is closed, also those that are waiting.
class Transport {
 public:
  virtual ~Transport() = default;
  virtual void send(int32_t from, int32_t to, int32_t tag, std::span<const std::byte> bytes) = 0;
  virtual void receive(int32_t from, int32_t to, int32_t tag, std::span<std::byte> bytes) = 0;
  virtual void close() = 0;
};

// The transport between threads of one process. Bytes are copied into boxes, which are reused.
class Mailbox : public Transport {
 public:
  explicit Mailbox(int32_t ranks) : inboxes_(ranks) {}
  void send(int32_t from, int32_t to, int32_t tag, std::span<const std::byte> bytes) override;
  void receive(int32_t from, int32_t to, int32_t tag, std::span<std::byte> bytes) override;
  void close() override;

 private:
  using Box = std::vector<std::byte>;
  struct Inbox {
    std::mutex mutex;
    std::condition_variable changed;
    std::map<std::pair<int32_t, int32_t>, std::deque<Box>> waiting;  // by (from, tag)
    std::multimap<size_t, Box> spare;                                // by size
    bool closed = false;
  };
  std::vector<Inbox> inboxes_;
};

// Counts what another transport moves. Each rank must send from only one thread, so that the rows
// of the matrices need no lock.
class CountingTransport : public Transport {
 public:
  CountingTransport(Transport& inner, int32_t ranks);
  void send(int32_t from, int32_t to, int32_t tag, std::span<const std::byte> bytes) override;
  void receive(int32_t from, int32_t to, int32_t tag, std::span<std::byte> bytes) override {
    inner_.receive(from, to, tag, bytes);
  }
  void close() override { inner_.close(); }

  std::vector<int64_t> bytes_from(int32_t from) const { return row(bytes_, from); }  // [to]
  std::vector<int64_t> messages_from(int32_t from) const { return row(messages_, from); }
  void reset(int32_t from);  // must not be called while that rank sends

 private:
  std::vector<int64_t> row(const std::vector<int64_t>& matrix, int32_t from) const {
    const auto first = matrix.begin() + static_cast<std::ptrdiff_t>(from) * ranks_;
    return {first, first + ranks_};
  }

  Transport& inner_;
  int32_t ranks_;
  std::vector<int64_t> bytes_;     // [from, to]
  std::vector<int64_t> messages_;  // [from, to]
};

}  // namespace cpbench
