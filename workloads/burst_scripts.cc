#include "workloads/burst_scripts.h"

#include <fmt/format.h>

#include <algorithm>

#include "harness/plan/errors.h"

namespace cpbench {
namespace {

constexpr double kNearlyEqual = 0.1;

}  // namespace

void validate(const BurstScriptsOptions& options) {
  if (options.min_tokens > options.max_tokens) {
    throw UserError(fmt::format("min={} is over max={}", options.min_tokens, options.max_tokens));
  }
  const int64_t most = options.long_tokens + (options.samples - 1) * options.max_tokens;
  if (options.batch_tokens < std::max(most, options.samples * options.max_tokens)) {
    throw UserError(fmt::format("batch={} must be at least long={} and {} others of max={}",
                                options.batch_tokens, options.long_tokens, options.samples - 1,
                                options.max_tokens));
  }
  if (options.bucket_tokens == 0) return;
  if (options.batch_tokens % options.bucket_tokens != 0 ||
      options.bucket_tokens < std::max(options.long_tokens, options.max_tokens)) {
    throw UserError(fmt::format("pad={} must divide batch={} and be at least long={}",
                                options.bucket_tokens, options.batch_tokens, options.long_tokens));
  }
}

void BurstScriptsStream::draw() {
  micro_batch_.clear();
  next_ = 0;
  const int64_t least = options_.min_tokens, most = options_.max_tokens;
  if (random_.uniform() < options_.share) {
    micro_batch_.push_back(options_.long_tokens);
    const double equal = static_cast<double>(options_.batch_tokens - options_.long_tokens) /
                         static_cast<double>(options_.samples - 1);
    while (std::ssize(micro_batch_) < options_.samples) {
      const double near = 1 + kNearlyEqual * (2 * random_.uniform() - 1);
      micro_batch_.push_back(std::clamp(static_cast<int64_t>(equal * near), least, most));
    }
  } else {
    while (std::ssize(micro_batch_) < options_.samples) {
      micro_batch_.push_back(least + random_.below(most - least + 1));
    }
  }
  if (options_.bucket_tokens > 0) pad();
}

void BurstScriptsStream::pad() {
  std::vector<std::vector<int64_t>> buckets(options_.batch_tokens / options_.bucket_tokens);
  std::vector<int64_t> room(buckets.size(), options_.bucket_tokens);
  std::sort(micro_batch_.begin(), micro_batch_.end(), std::greater<>());
  for (const int64_t length : micro_batch_) {
    size_t bucket = 0;
    while (bucket < room.size() && room[bucket] < length) ++bucket;
    if (bucket == room.size()) {
      buckets.emplace_back();
      room.push_back(options_.bucket_tokens);
    }
    buckets[bucket].push_back(length);
    room[bucket] -= length;
  }
  micro_batch_.clear();
  for (size_t b = 0; b < buckets.size(); ++b) {
    micro_batch_.insert(micro_batch_.end(), buckets[b].begin(), buckets[b].end());
    while (room[b] > 0) {
      micro_batch_.push_back(std::min(room[b], options_.padding_tokens));
      room[b] -= micro_batch_.back();
    }
  }
}

int64_t BurstScriptsStream::next() {
  if (next_ == micro_batch_.size()) draw();
  return micro_batch_[next_++];
}

}  // namespace cpbench
