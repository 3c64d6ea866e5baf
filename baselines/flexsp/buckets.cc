#include "baselines/flexsp/buckets.h"

#include <algorithm>
#include <limits>

namespace cpbench::flexsp {
namespace {

constexpr int64_t kNever = std::numeric_limits<int64_t>::max() / 4;

class Cuts {
 public:
  Cuts(const Loads& loads, const Items& items, int32_t count) : size_(items.size()) {
    prefix_.push_back(0);
    for (int32_t item : items) {
      tokens_.push_back(loads[item].tokens);
      prefix_.push_back(prefix_.back() + loads[item].tokens);
    }
    waste_.assign(size_ + 1, kNever);
    waste_[0] = 0;
    for (int32_t b = 0; b < count; ++b) {
      next_.assign(size_ + 1, kNever);
      from_.emplace_back(size_ + 1, 0);
      fill(1, size_, 0, size_ - 1);
      waste_ = next_;
    }
  }

  // The ends of the buckets, ascending.
  std::vector<size_t> ends() const {
    std::vector<size_t> ends;
    size_t end = size_;
    for (size_t b = from_.size(); b-- > 0 && end > 0;) {
      ends.push_back(end);
      end = from_[b][end];
    }
    std::reverse(ends.begin(), ends.end());
    return ends;
  }

 private:
  int64_t added(size_t begin, size_t end) const {
    return tokens_[begin] * static_cast<int64_t>(end - begin) - (prefix_[end] - prefix_[begin]);
  }

  // The best last cut moves right with the end, so the halves of the ends search the halves of the
  // cuts.
  void fill(size_t first, size_t last, size_t least, size_t most) {
    if (first > last) return;
    const size_t end = (first + last) / 2;
    size_t best = least;
    for (size_t begin = least; begin <= std::min(most, end - 1); ++begin) {
      if (waste_[begin] >= kNever) continue;
      const int64_t total = waste_[begin] + added(begin, end);
      if (total >= next_[end]) continue;
      next_[end] = total;
      best = begin;
    }
    from_.back()[end] = best;
    fill(first, end - 1, least, best);
    fill(end + 1, last, best, most);
  }

  size_t size_;
  std::vector<int64_t> tokens_, prefix_, waste_, next_;
  std::vector<std::vector<size_t>> from_;
};

}  // namespace

std::vector<Bucket> buckets_of(const Loads& loads, const Items& items, int32_t count) {
  std::vector<Bucket> buckets;
  size_t begin = 0;
  const auto most = static_cast<int32_t>(std::min<size_t>(count, items.size()));
  for (size_t end : Cuts(loads, items, most).ends()) {
    Bucket bucket;
    bucket.longest_tokens = loads[items[begin]].tokens;
    for (; begin < end; ++begin) {
      bucket.sequences.push_back(items[begin]);
      bucket.total += loads[items[begin]];
    }
    buckets.push_back(std::move(bucket));
  }
  return buckets;
}

Loads rounded(const Loads& loads, const std::vector<Bucket>& buckets) {
  Loads out(loads.size());
  for (const Bucket& bucket : buckets) {
    const auto size = static_cast<double>(bucket.sequences.size());
    for (int32_t s : bucket.sequences) {
      out[s] = {bucket.longest_tokens, bucket.total.attention_seconds / size,
                bucket.total.linear_seconds / size};
    }
  }
  return out;
}

}  // namespace cpbench::flexsp
