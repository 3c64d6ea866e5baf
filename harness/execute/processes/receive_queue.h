// What one process has received and not yet asked for: data and notes, matched as wire.h describes.
// One thread adds and another takes.
//
//   queue.add(from, tag, std::move(bytes));   // on the thread that reads from the network
//   auto bytes = queue.receive(from, tag);    // on the thread of the wire; nullopt: not there yet
#pragma once

#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "harness/execute/processes/wire.h"

namespace cpbench {

class ReceiveQueue {
 public:
  void add(int32_t from, int32_t tag, std::vector<std::byte> bytes) {
    const std::lock_guard lock(mutex_);
    data_.push_back({from, tag, std::move(bytes)});
  }
  void add(int32_t from, NoteKind kind, std::string text) {
    const std::lock_guard lock(mutex_);
    notes_[{kind, from}].push_back(std::move(text));
  }

  std::optional<std::vector<std::byte>> receive(int32_t from, int32_t tag) {
    const std::lock_guard lock(mutex_);
    for (auto it = data_.begin(); it != data_.end(); ++it) {
      if (it->from != from || it->tag != tag) continue;
      std::vector<std::byte> bytes = std::move(it->bytes);
      data_.erase(it);
      return bytes;
    }
    return std::nullopt;
  }
  std::optional<int32_t> discard() {
    const std::lock_guard lock(mutex_);
    if (data_.empty()) return std::nullopt;
    const int32_t from = data_.front().from;
    data_.pop_front();
    return from;
  }
  std::optional<Note> poll(int32_t from, NoteKind kind) {
    const std::lock_guard lock(mutex_);
    for (auto& [key, texts] : notes_) {
      const bool matches = key.first == kind && (from == kAnyRank || from == key.second);
      if (!matches || texts.empty()) continue;
      Note note{key.second, std::move(texts.front())};
      texts.pop_front();
      return note;
    }
    return std::nullopt;
  }
  size_t data_messages() {
    const std::lock_guard lock(mutex_);
    return data_.size();
  }

 private:
  struct Data {
    int32_t from, tag;
    std::vector<std::byte> bytes;
  };
  std::mutex mutex_;
  std::deque<Data> data_;
  std::map<std::pair<NoteKind, int32_t>, std::deque<std::string>> notes_;
};

}  // namespace cpbench
