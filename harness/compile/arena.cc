// Best fit in the order of birth: each buffer takes the smallest gap that holds it, or the arena
// grows.
#include "harness/compile/arena.h"

#include <algorithm>
#include <map>
#include <queue>
#include <span>

namespace cpbench {
namespace {

class Gaps {
 public:
  int64_t take(int64_t bytes) {
    auto best = gaps_.end();
    for (auto it = gaps_.begin(); it != gaps_.end(); ++it) {
      if (it->second >= bytes && (best == gaps_.end() || it->second < best->second)) best = it;
    }
    if (best == gaps_.end()) {  // grow; the last gap is used if it reaches the end
      int64_t offset = end_;
      if (!gaps_.empty() && gaps_.rbegin()->first + gaps_.rbegin()->second == end_) {
        offset = gaps_.rbegin()->first;
        gaps_.erase(offset);
      }
      end_ = offset + bytes;
      return offset;
    }
    const auto [offset, size] = *best;
    gaps_.erase(best);
    if (size > bytes) gaps_[offset + bytes] = size - bytes;
    return offset;
  }

  void give(int64_t offset, int64_t bytes) {
    if (bytes == 0) return;
    auto next = gaps_.lower_bound(offset);
    if (next != gaps_.end() && next->first == offset + bytes) {
      bytes += next->second;
      next = gaps_.erase(next);
    }
    if (next != gaps_.begin()) {
      const auto before = std::prev(next);
      if (before->first + before->second == offset) {
        before->second += bytes;
        return;
      }
    }
    gaps_[offset] = bytes;
  }

  int64_t end() const { return end_; }

 private:
  std::map<int64_t, int64_t> gaps_;  // offset -> bytes; no two are adjacent
  int64_t end_ = 0;
};

int64_t aligned(int64_t bytes) {
  return (bytes + kBufferAlignment - 1) / kBufferAlignment * kBufferAlignment;
}

}  // namespace

int64_t place(std::vector<Buffer>& buffers, const std::vector<CollectiveOp>& collectives) {
  // How many buffers are placed together with the first of them. 0 for those that follow the first.
  std::vector<int32_t> together(buffers.size(), 1);
  for (const CollectiveOp& op : collectives) {
    const std::span blocks(buffers.data() + op.first_block, op.blocks);
    const int32_t first = std::ranges::min(blocks, {}, &Buffer::first_op).first_op;
    const int32_t last = std::ranges::max(blocks, {}, &Buffer::last_op).last_op;
    for (Buffer& block : blocks) {
      block.first_op = first;
      block.last_op = last;
    }
    std::fill_n(together.begin() + op.first_block, op.blocks, 0);
    together[op.first_block] = op.blocks;
  }
  const auto bytes_of = [&](int32_t i) { return together[i] * aligned(buffers[i].bytes); };
  std::vector<int32_t> order;
  for (size_t i = 0; i < buffers.size(); ++i) {
    if (together[i] > 0) order.push_back(static_cast<int32_t>(i));
  }
  std::ranges::stable_sort(order, {}, [&](int32_t i) { return buffers[i].first_op; });
  using Death = std::pair<int32_t, int32_t>;  // last operation, buffer
  std::priority_queue<Death, std::vector<Death>, std::greater<>> alive;
  Gaps gaps;
  for (int32_t index : order) {
    Buffer& buffer = buffers[index];
    while (!alive.empty() && alive.top().first < buffer.first_op) {
      const int32_t dead = alive.top().second;
      gaps.give(buffers[dead].offset, bytes_of(dead));
      alive.pop();
    }
    buffer.offset = gaps.take(bytes_of(index));
    for (int32_t i = 1; i < together[index]; ++i) {
      buffers[index + i].offset = buffer.offset + i * aligned(buffer.bytes);
    }
    alive.emplace(buffer.last_op, index);
  }
  return gaps.end();
}

}  // namespace cpbench
