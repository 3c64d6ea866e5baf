// A wire between threads of one process, each standing for a process, so that what processes do
// together is tested without a launcher.
//
//   run_as_processes(3, {.timeout_seconds = 1}, [](ProcessGroup& group, LocalWire& wire) { ... });
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "harness/execute/process_group.h"

namespace cpbench {

// What all wires of one run share: messages under way, by receiver.
struct LocalNetwork {
  struct Data {
    int32_t from, tag;
    std::vector<std::byte> bytes;
  };
  explicit LocalNetwork(int32_t ranks) : data(ranks), notes(ranks) {}

  std::mutex mutex;
  std::vector<std::deque<Data>> data;
  std::vector<std::map<std::pair<NoteKind, int32_t>, std::deque<std::string>>> notes;
};

class LocalWire : public Wire {
 public:
  LocalWire(LocalNetwork& network, int32_t rank) : network_(network), rank_(rank) {}

  int32_t rank() const override { return rank_; }
  int32_t size() const override { return static_cast<int32_t>(network_.data.size()); }
  int32_t ranks_on_node() const override { return size(); }
  std::string library() const override { return "threads"; }

  void send(int32_t to, int32_t tag, std::span<const std::byte> bytes) override {
    const std::lock_guard lock(network_.mutex);
    network_.data[to].push_back({rank_, tag, {bytes.begin(), bytes.end()}});
  }
  std::optional<std::span<const std::byte>> receive(int32_t from, int32_t tag) override {
    const std::lock_guard lock(network_.mutex);
    auto& queue = network_.data[rank_];
    for (auto it = queue.begin(); it != queue.end(); ++it) {
      if (it->from != from || it->tag != tag) continue;
      box_ = std::move(it->bytes);
      queue.erase(it);
      return box_;
    }
    return std::nullopt;
  }
  std::optional<int32_t> discard() override {
    const std::lock_guard lock(network_.mutex);
    auto& queue = network_.data[rank_];
    if (queue.empty()) return std::nullopt;
    const int32_t from = queue.front().from;
    queue.pop_front();
    return from;
  }
  void post(int32_t to, NoteKind kind, const std::string& text) override {
    const std::lock_guard lock(network_.mutex);
    network_.notes[to][{kind, rank_}].push_back(text);
  }
  std::optional<Note> poll(int32_t from, NoteKind kind) override {
    const std::lock_guard lock(network_.mutex);
    for (auto& [key, texts] : network_.notes[rank_]) {
      const bool wanted = key.first == kind && (from == kAnyRank || from == key.second);
      if (!wanted || texts.empty()) continue;
      Note note{key.second, std::move(texts.front())};
      texts.pop_front();
      return note;
    }
    return std::nullopt;
  }
  void finish() override {}
  [[noreturn]] void abort(int) override { std::terminate(); }

  size_t data_under_way() {
    const std::lock_guard lock(network_.mutex);
    return network_.data[rank_].size();
  }

 private:
  LocalNetwork& network_;
  int32_t rank_;
  std::vector<std::byte> box_;
};

// Runs the body on every rank; what it throws there, by rank, "" if nothing.
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

}  // namespace cpbench
