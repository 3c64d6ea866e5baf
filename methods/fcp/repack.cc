#include "methods/fcp/repack.h"

#include <algorithm>
#include <limits>
#include <set>
#include <utility>

#include "methods/fcp/random.h"

namespace cpbench::fcp {
namespace {

// The sizes of the groups; larger groups cost more and find little more.
constexpr uint64_t kSmallestGroup = 2;
constexpr uint64_t kLargestGroup = 5;
// A unit is large, so that best fit may apply, from this part of the target on.
constexpr int64_t kLargePart = 8;
// A group aims at up to this many thousandths above what is enough, or above its mean.
constexpr uint64_t kSlackThousandths = 20;

// These end the search after a few milliseconds, whatever the number of ranks, and sooner for few
// units.
constexpr size_t kTries = 3000;
constexpr size_t kTriesPerUnit = 20;

class Repacker {
 public:
  Repacker(const std::vector<Unit>& units, int64_t token_limit, int64_t enough,
           Placement& placement)
      : units_(units),
        limit_(token_limit),
        enough_(enough),
        placement_(placement),
        owned_(placement.pairs.size()) {
    for (size_t u = 0; u < units.size(); ++u) {
      owned_[placement.rank_of[u]].push_back(static_cast<int32_t>(u));
    }
    for (size_t r = 0; r < owned_.size(); ++r) by_work_.insert({placement.pairs[r], rank(r)});
  }

  void run() {
    if (owned_.size() < 2) return;
    size_t left = std::min(kTries, kTriesPerUnit * units_.size());
    for (; left > 0 && most() > enough_; --left) {
      draw_group();
      if (deal()) keep();
    }
  }

 private:
  enum class Rule : uint8_t { spare, best_fit, lightest };
  static constexpr uint64_t kRules = 3;

  static int32_t rank(size_t index) { return static_cast<int32_t>(index); }
  int64_t most() const { return by_work_.rbegin()->first; }

  // Draws the busiest rank and others, and pools their units, the most work first.
  void draw_group() {
    const size_t ranks = owned_.size();
    const uint64_t largest = std::min<uint64_t>(kLargestGroup, ranks);
    const size_t size = kSmallestGroup + random_.below(largest - kSmallestGroup + 1);
    group_ = {by_work_.rbegin()->second};
    while (group_.size() < size) {
      const int32_t other = rank(random_.below(ranks));
      if (std::find(group_.begin(), group_.end(), other) == group_.end()) group_.push_back(other);
    }
    pool_.clear();
    for (int32_t r : group_) pool_.insert(pool_.end(), owned_[r].begin(), owned_[r].end());
    std::sort(pool_.begin(), pool_.end(), [&](int32_t a, int32_t b) {
      return units_[a].pairs != units_[b].pairs ? units_[a].pairs > units_[b].pairs : a < b;
    });
    // Some neighbours are swapped, so that one group can be dealt in several ways.
    if (random_.below(2) == 0) return;
    for (size_t i = 0; i + 1 < pool_.size(); ++i) {
      if (random_.below(4) == 0) std::swap(pool_[i], pool_[i + 1]);
    }
  }

  // Deals pool_ to the group. False if a rank would get as much work as the busiest has now.
  bool deal() {
    const size_t size = group_.size();
    int64_t together = 0;
    for (int32_t r : group_) together += placement_.pairs[r];
    const int64_t mean = together / static_cast<int64_t>(size);
    if (mean >= most()) return false;
    const int64_t aim = std::max(enough_, mean);
    const int64_t target =
        aim + aim / 1000 * static_cast<int64_t>(random_.below(kSlackThousandths));
    const auto rule = static_cast<Rule>(random_.below(kRules));
    pairs_.assign(size, 0);
    tokens_.assign(size, 0);
    dealt_.clear();
    for (int32_t u : pool_) {
      const Unit& unit = units_[u];
      const bool fullest = rule == Rule::best_fit && unit.pairs > target / kLargePart;
      size_t best = size;
      double best_score = -std::numeric_limits<double>::infinity();
      for (size_t r = 0; r < size; ++r) {
        const int64_t pairs = pairs_[r] + unit.pairs;
        if (pairs >= most() || tokens_[r] + unit.size > limit_) continue;
        // A rank is filled above the target only if nothing else is left: any such rank scores
        // below all others.
        const double score = rule == Rule::lightest ? -load(r, unit, target)
                             : pairs > target       ? -static_cast<double>(pairs)
                             : fullest              ? static_cast<double>(pairs_[r])
                                                    : spare(r, target);
        if (score > best_score) {
          best = r;
          best_score = score;
        }
      }
      if (best == size) return false;
      pairs_[best] += unit.pairs;
      tokens_[best] += unit.size;
      dealt_.push_back(best);
    }
    return true;
  }

  // The work that the r-th rank of the group can still take, per token of its room.
  double spare(size_t r, int64_t target) const {
    return static_cast<double>(target - pairs_[r]) / static_cast<double>(limit_ - tokens_[r]);
  }

  // The larger of the two loads of a rank with the unit, each relative to its limit.
  double load(size_t r, const Unit& unit, int64_t target) const {
    return std::max(static_cast<double>(pairs_[r] + unit.pairs) / static_cast<double>(target),
                    static_cast<double>(tokens_[r] + unit.size) / static_cast<double>(limit_));
  }

  void keep() {
    for (size_t r = 0; r < group_.size(); ++r) {
      const int32_t member = group_[r];
      by_work_.erase({placement_.pairs[member], member});
      by_work_.insert({pairs_[r], member});
      placement_.pairs[member] = pairs_[r];
      placement_.tokens[member] = tokens_[r];
      owned_[member].clear();
    }
    for (size_t i = 0; i < pool_.size(); ++i) {
      const int32_t member = group_[dealt_[i]];
      owned_[member].push_back(pool_[i]);
      placement_.rank_of[pool_[i]] = member;
    }
  }

  const std::vector<Unit>& units_;
  int64_t limit_;
  int64_t enough_;
  Placement& placement_;
  std::vector<std::vector<int32_t>> owned_;        // units of each rank
  std::set<std::pair<int64_t, int32_t>> by_work_;  // (pairs, rank)
  Random random_{1};
  // Of the current try: ranks, their units, and what each rank would get.
  std::vector<int32_t> group_;
  std::vector<int32_t> pool_;
  std::vector<size_t> dealt_;  // index into group_ for each unit in pool_
  std::vector<int64_t> pairs_;
  std::vector<int64_t> tokens_;
};

}  // namespace

int64_t Placement::most_pairs() const { return *std::max_element(pairs.begin(), pairs.end()); }

void repack(const std::vector<Unit>& units, int64_t token_limit, int64_t enough,
            Placement& placement) {
  Repacker(units, token_limit, enough, placement).run();
}

}  // namespace cpbench::fcp
