// A wire between threads of one process. Each thread takes the role of a process, so that process
// groups are tested without a launcher.
//
//   run_as_processes(3, {.timeout_seconds = 1}, [](ProcessGroup& group, LocalWire& wire) { ... });
#pragma once

#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "harness/execute/processes/process_group.h"
#include "harness/execute/processes/receive_queue.h"

namespace cpbench {

using LocalNetwork = std::deque<ReceiveQueue>;  // by receiver

class LocalWire : public Wire {
 public:
  LocalWire(LocalNetwork& network, int32_t rank) : network_(network), rank_(rank) {}

  int32_t rank() const override { return rank_; }
  int32_t size() const override { return static_cast<int32_t>(network_.size()); }
  int32_t ranks_on_node() const override { return size(); }
  std::string library() const override { return "threads"; }

  void send(int32_t to, int32_t tag, std::span<const std::byte> bytes) override {
    network_[to].add(rank_, tag, {bytes.begin(), bytes.end()});
  }
  std::optional<std::span<const std::byte>> receive(int32_t from, int32_t tag) override {
    auto bytes = network_[rank_].receive(from, tag);
    if (!bytes) return std::nullopt;
    box_ = std::move(*bytes);
    return box_;
  }
  std::optional<int32_t> discard() override { return network_[rank_].discard(); }
  void post(int32_t to, NoteKind kind, const std::string& text) override {
    network_[to].add(rank_, kind, text);
  }
  std::optional<Note> poll(int32_t from, NoteKind kind) override {
    return network_[rank_].poll(from, kind);
  }
  void finish() override {}
  [[noreturn]] void abort(int) override { std::terminate(); }

  size_t pending_messages() { return network_[rank_].data_messages(); }

 private:
  LocalNetwork& network_;
  int32_t rank_;
  std::vector<std::byte> box_;
};

// Runs the body on every rank. Returns what it threw, by rank; empty if it threw nothing.
inline std::vector<std::string> run_as_processes(
    int32_t ranks, GroupOptions options,
    const std::function<void(ProcessGroup& group, LocalWire& wire)>& body) {
  LocalNetwork network(ranks);
  std::vector<std::string> thrown(ranks);
  std::vector<std::thread> threads;
  for (int32_t rank = 0; rank < ranks; ++rank) {
    threads.emplace_back([&, rank] {
      LocalWire wire(network, rank);
      ProcessGroup group(wire, options);
      try {
        body(group, wire);
      } catch (const std::exception& error) {
        thrown[rank] = error.what();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  return thrown;
}

// Runs one work together on every rank.
inline std::vector<std::string> run_together(int32_t ranks, double timeout_seconds,
                                             const std::function<void(ProcessGroup& group)>& work) {
  return run_as_processes(
      ranks, {.timeout_seconds = timeout_seconds},
      [&](ProcessGroup& group, LocalWire&) { group.together([&] { work(group); }); });
}

}  // namespace cpbench
