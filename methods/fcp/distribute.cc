#include "methods/fcp/distribute.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <sstream>
#include <utility>

#include "harness/plan/errors.h"
#include "harness/strategy/order.h"
#include "methods/fcp/bounds.h"
#include "methods/fcp/repack.h"

namespace cpbench::fcp {
namespace {

// The search ends when the work is within one thousandth of what is possible.
constexpr int64_t kPrecision = 1000;

class Distributor {
 public:
  Distributor(const std::vector<Unit>& units, int32_t ranks, const DistributeOptions& options)
      : units_(units), ranks_(ranks), options_(options) {
    for (const Unit& unit : units) {
      tokens_ += unit.size;
      pairs_ += unit.pairs;
    }
    limit_ = token_limit(tokens_, ranks, options.delta);
  }

  std::vector<int32_t> run() const {
    const double mean_tokens = static_cast<double>(tokens_) / ranks_;
    const double mean_pairs = static_cast<double>(pairs_) / ranks_;
    // The paper's placement: by the larger of the two loads of a unit.
    std::vector<double> loads;
    for (const Unit& unit : units_) {
      loads.push_back(std::max(static_cast<double>(unit.size) / mean_tokens,
                               static_cast<double>(unit.pairs) / mean_pairs));
    }
    Placement placement = place(loads, options_.alpha / mean_tokens, options_.beta / mean_pairs);
    if (const auto misfit = std::find(placement.rank_of.begin(), placement.rank_of.end(), -1);
        misfit != placement.rank_of.end()) {
      refuse(units_[misfit - placement.rank_of.begin()]);
    }
    const int64_t ideal = std::max(pairs_ / ranks_, least_work_by_count(units_, ranks_));
    const int64_t enough = ideal + ideal / kPrecision;
    if (!options_.local_search || placement.most_pairs() <= enough) return placement.rank_of;
    // Our second placement: only by work, with tokens compared to their limit. It is often the
    // better start if work is uneven.
    for (size_t u = 0; u < units_.size(); ++u) loads[u] = static_cast<double>(units_[u].pairs);
    Placement other = place(loads, 1 / static_cast<double>(limit_), 1 / mean_pairs);
    if (std::find(other.rank_of.begin(), other.rank_of.end(), -1) == other.rank_of.end() &&
        other.most_pairs() < placement.most_pairs()) {
      placement = std::move(other);
    }
    repack(units_, limit_, enough, placement);
    return placement.rank_of;
  }

 private:
  // Takes the unit with the largest load first, and puts each on the rank that afterwards minimises
  //   max(its tokens * per_token, its pairs * per_pair)
  // within the token limit. Units that fit on no rank get rank -1.
  Placement place(const std::vector<double>& loads, double per_token, double per_pair) const {
    Placement placement{std::vector<int32_t>(units_.size(), -1), std::vector<int64_t>(ranks_, 0),
                        std::vector<int64_t>(ranks_, 0)};
    for (int32_t u : largest_first(loads.size(), [&](int32_t i) { return loads[i]; })) {
      const Unit& unit = units_[u];
      double best_score = std::numeric_limits<double>::infinity();
      for (int32_t r = 0; r < ranks_; ++r) {
        const int64_t tokens = placement.tokens[r] + unit.size;
        const double score =
            std::max(per_token * static_cast<double>(tokens),
                     per_pair * static_cast<double>(placement.pairs[r] + unit.pairs));
        if (score < best_score && tokens <= limit_) {
          placement.rank_of[u] = r;
          best_score = score;
        }
      }
      if (placement.rank_of[u] < 0) continue;
      placement.tokens[placement.rank_of[u]] += unit.size;
      placement.pairs[placement.rank_of[u]] += unit.pairs;
    }
    return placement;
  }

  [[noreturn]] void refuse(const Unit& unit) const {
    const double mean = static_cast<double>(tokens_) / ranks_;
    const double enough = static_cast<double>(unit.size) / mean;
    std::ostringstream why;
    why << "a unit of " << unit.size << " tokens fits on no rank: each may have " << limit_
        << " of " << tokens_ << " tokens (" << ranks_ << " ranks, delta " << options_.delta
        << "); block <= " << std::max<int64_t>(1, static_cast<int64_t>(options_.delta * mean))
        << " or delta >= " << std::ceil(enough * 1000) / 1000 << " is sure to work";
    throw Unsupported(why.str());
  }

  const std::vector<Unit>& units_;
  int32_t ranks_;
  const DistributeOptions& options_;
  int64_t tokens_ = 0;
  int64_t pairs_ = 0;
  int64_t limit_ = 0;  // of the tokens of a rank
};

}  // namespace

int64_t token_limit(int64_t tokens, int32_t ranks, double delta) {
  const double mean = static_cast<double>(tokens) / ranks;
  return std::max(static_cast<int64_t>(mean * (1 + delta)), (tokens + ranks - 1) / ranks);
}

std::vector<int32_t> distribute(const std::vector<Unit>& units, int32_t ranks,
                                const DistributeOptions& options) {
  return Distributor(units, ranks, options).run();
}

}  // namespace cpbench::fcp
