#include "baselines/megatron_hybrid/rounds.h"

#include <algorithm>
#include <deque>
#include <set>

#include "harness/strategy/order.h"

namespace cpbench::megatron_hybrid {
namespace {

// Upstream's constants: a round is balanced if its ranks differ by this share of the largest work,
// and a bucket may exceed its share of the work by this factor.
constexpr double kBalanceSlack = 0.05;
constexpr double kBucketSlack = 1.1;

class Scheduler {
 public:
  Scheduler(const std::vector<int64_t>& lengths, const Limits& limits) : limits_(limits) {
    for (const int64_t tokens : lengths) {
      needed_.push_back(static_cast<int32_t>(ranks_needed(tokens, limits.tokens_per_rank)));
      const auto length = static_cast<double>(tokens);
      work_.push_back(length * length / needed_.back());
    }
    waiting_ = largest_first(lengths.size(), [&](int32_t s) { return lengths[s]; });
  }

  std::vector<Round> run() {
    std::vector<Round> rounds;
    while (!waiting_.empty()) {
      round_.clear();
      used_ = 0;
      fill();
      give_back();
      if (limits_.widen) widen();
      rounds.push_back(round_);
    }
    return rounds;
  }

 private:
  using Bucket = std::deque<int32_t>;

  // As many buckets as there are different numbers of ranks, with about equal work, in the order of
  // the sequences that wait. Every closed bucket also lowers how many are still to come, as
  // upstream.
  std::deque<Bucket> buckets() const {
    std::set<int32_t> sizes;
    double total = 0;
    for (const int32_t s : waiting_) {
      sizes.insert(needed_[s]);
      total += work_[s];
    }
    const double target = total / static_cast<double>(sizes.size());
    auto to_come = std::ssize(sizes);
    std::deque<Bucket> closed;
    Bucket current;
    double work = 0;
    for (auto i = std::ssize(waiting_); i > 0; --i) {  // sequences left
      const int32_t s = waiting_[waiting_.size() - i];
      const bool full = work + work_[s] > target * kBucketSlack;
      if (!current.empty() && (full || i <= to_come - std::ssize(closed))) {
        closed.push_back(std::move(current));
        current.clear();
        work = 0;
        --to_come;
      }
      current.push_back(s);
      work += work_[s];
    }
    closed.push_back(std::move(current));
    return closed;
  }

  int32_t free_ranks() const { return limits_.ranks - used_; }

  // The group of this size with the least work; null if there is none.
  RankGroup* least_loaded(int32_t size) {
    RankGroup* best = nullptr;
    for (RankGroup& group : round_) {
      if (group.size == size && (best == nullptr || group.work < best->work)) best = &group;
    }
    return best;
  }

  // The group that takes a sequence: a new one if there are enough free ranks. Null if none can.
  RankGroup* group_for(int32_t size) {
    if (free_ranks() < size) return least_loaded(size);
    round_.push_back({.first = used_, .size = size});
    used_ += size;
    return &round_.back();
  }

  // Work of the most and of the least loaded rank.
  std::pair<double, double> extremes() const {
    double most = 0, least = free_ranks() > 0 ? 0 : round_.front().work;
    for (const RankGroup& group : round_) {
      most = std::max(most, group.work);
      least = std::min(least, group.work);
    }
    return {most, least};
  }
  bool balanced() const {
    const auto [most, least] = extremes();
    return most - least <= kBalanceSlack * most;
  }

  void fill() {
    std::deque<Bucket> open = buckets();
    int32_t first_size = 0;
    bool check_balance = false;
    while (!open.empty() && !(check_balance && balanced())) {
      RankGroup* group = nullptr;
      auto bucket = open.begin();
      while (bucket != open.end() &&
             (bucket->empty() || (group = group_for(needed_[bucket->front()])) == nullptr)) {
        ++bucket;
      }
      if (group == nullptr) break;
      const int32_t s = bucket->front();
      bucket->pop_front();
      group->sequences.push_back(s);
      group->work += work_[s];
      while (!open.empty() && open.front().empty()) open.pop_front();
      if (first_size == 0) first_size = needed_[s];
      check_balance |= needed_[s] < first_size;
    }
    waiting_.clear();
    for (const Bucket& bucket : open) waiting_.insert(waiting_.end(), bucket.begin(), bucket.end());
  }

  void give_back() {
    while (free_ranks() == 0 && !balanced()) {
      const auto most =
          std::max_element(round_.begin(), round_.end(),
                           [](const RankGroup& a, const RankGroup& b) { return a.work < b.work; });
      if (most->sequences.size() == 1) return;
      const auto [before_most, before_least] = extremes();
      const int32_t last = most->sequences.back();
      most->work -= work_[last];
      const auto [after_most, after_least] = extremes();
      if (after_most - after_least >= before_most - before_least) {
        most->work += work_[last];
        return;
      }
      most->sequences.pop_back();
      waiting_.push_back(last);
    }
  }

  void widen() {
    while (free_ranks() > 0) {
      const auto group =
          std::min_element(round_.begin(), round_.end(),
                           [](const RankGroup& a, const RankGroup& b) { return a.size < b.size; });
      const int32_t more = std::min(2 * group->size, limits_.ranks) - group->size;
      if (more > free_ranks()) return;
      group->size += more;
      for (auto later = group + 1; later != round_.end(); ++later) later->first += more;
      used_ += more;
    }
  }

  Limits limits_;
  std::vector<int32_t> needed_;   // ranks of each sequence
  std::vector<double> work_;      // of each sequence, on each of its ranks
  std::vector<int32_t> waiting_;  // sequences without a round
  Round round_;
  int32_t used_ = 0;  // ranks of the round that have a group
};

}  // namespace

int64_t ranks_needed(int64_t tokens, int64_t tokens_per_rank) {
  int64_t ranks = 1;
  while (ranks * tokens_per_rank < tokens) ranks *= 2;
  return ranks;
}

std::vector<Round> rounds_of(const std::vector<int64_t>& lengths, const Limits& limits) {
  return Scheduler(lengths, limits).run();
}

}  // namespace cpbench::megatron_hybrid
