#include "methods/fcp/distribute.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>
#include <sstream>
#include <utility>

#include "harness/plan/errors.h"

namespace cpbench::fcp {
namespace {

struct Totals {
  int64_t tokens = 0;
  int64_t cells = 0;
};

Totals totals_of(const std::vector<Unit>& units) {
  Totals totals;
  for (const Unit& unit : units) {
    totals.tokens += unit.size;
    totals.cells += unit.cells;
  }
  return totals;
}

class Distributor {
 public:
  Distributor(const std::vector<Unit>& units, int32_t ranks, const DistributeOptions& options)
      : units_(units),
        ranks_(ranks),
        options_(options),
        totals_(totals_of(units)),
        limit_(token_limit(totals_.tokens, ranks, options.delta)),
        tokens_(ranks, 0),
        cells_(ranks, 0),
        rank_of_(units.size(), -1) {}

  std::vector<int32_t> run() {
    place();
    if (options_.local_search && ranks_ > 1) search();
    return std::move(rank_of_);
  }

 private:
  void place() {
    const double per_token = ranks_ / static_cast<double>(totals_.tokens);
    const double per_cell = ranks_ / static_cast<double>(totals_.cells);
    std::vector<std::pair<double, int32_t>> order;
    for (size_t i = 0; i < units_.size(); ++i) {
      const double load = std::max(static_cast<double>(units_[i].size) * per_token,
                                   static_cast<double>(units_[i].cells) * per_cell);
      order.emplace_back(-load, static_cast<int32_t>(i));
    }
    std::sort(order.begin(), order.end());
    for (const auto& [load, index] : order) {
      const Unit& unit = units_[index];
      int32_t best = -1;
      double best_score = std::numeric_limits<double>::infinity();
      for (int32_t r = 0; r < ranks_; ++r) {
        const double score =
            std::max(options_.alpha * per_token * static_cast<double>(tokens_[r] + unit.size),
                     options_.beta * per_cell * static_cast<double>(cells_[r] + unit.cells));
        if (score < best_score && tokens_[r] + unit.size <= limit_) {
          best = r;
          best_score = score;
        }
      }
      if (best < 0) refuse(unit);
      tokens_[best] += unit.size;
      cells_[best] += unit.cells;
      rank_of_[index] = best;
    }
  }

  [[noreturn]] void refuse(const Unit& unit) const {
    const double mean = static_cast<double>(totals_.tokens) / ranks_;
    const double enough = static_cast<double>(unit.size) / mean;
    std::ostringstream why;
    why << "a unit of " << unit.size << " tokens fits on no rank: each may have " << limit_
        << " of " << totals_.tokens << " tokens (" << ranks_ << " ranks, delta " << options_.delta
        << "); block <= " << std::max<int64_t>(1, static_cast<int64_t>(options_.delta * mean))
        << " or delta >= " << std::ceil(enough * 1000) / 1000 << " is sure to work";
    throw Unsupported(why.str());
  }

  // The search ends within one part in a thousand of what is possible.
  static constexpr int64_t kPrecision = 1000;
  // How many of the lightest ranks are tried before all are.
  static constexpr int kLightest = 8;
  // How often two ranks are compared in search of an exchange: a few milliseconds. Ends long rows
  // of small gains where many ranks have the same few large units.
  size_t comparison_limit() const { return std::max<size_t>(4096, 2 * units_.size()); }

  enum class Trades : uint8_t { one, two };

  struct Exchange {
    std::array<int32_t, 2> give = {-1, -1};  // units of the busiest rank; -1: none
    std::array<int32_t, 2> take = {-1, -1};  // units of the lighter rank
    int32_t to = -1;
    int64_t worst = 0;  // the larger work of the two ranks afterwards
  };

  void search() {
    owned_.resize(ranks_);
    for (size_t i = 0; i < units_.size(); ++i) {
      owned_[rank_of_[i]].push_back(static_cast<int32_t>(i));
    }
    for (int32_t r = 0; r < ranks_; ++r) by_work_.insert({cells_[r], r});
    comparisons_ = comparison_limit();
    const int64_t ideal = std::max(totals_.cells / ranks_, least_work(units_, ranks_));
    while (by_work_.rbegin()->first > ideal + ideal / kPrecision) {
      const int32_t busiest = by_work_.rbegin()->second;
      Exchange best = best_exchange(busiest, kLightest, Trades::one);
      if (best.to < 0) best = best_exchange(busiest, kLightest, Trades::two);
      if (best.to < 0) best = best_exchange(busiest, ranks_, Trades::two);
      if (best.to < 0) break;
      by_work_.erase({cells_[busiest], busiest});
      by_work_.erase({cells_[best.to], best.to});
      for (int32_t unit : best.give) move(unit, best.to);
      for (int32_t unit : best.take) move(unit, busiest);
      by_work_.insert({cells_[busiest], busiest});
      by_work_.insert({cells_[best.to], best.to});
    }
  }

  Exchange best_exchange(int32_t busiest, int32_t ranks, Trades trades) {
    Exchange best;
    best.worst = cells_[busiest];
    for (const auto& [work, rank] : by_work_) {
      if (rank == busiest || ranks-- == 0 || comparisons_ == 0) break;
      --comparisons_;
      improve(busiest, rank, trades, best);
    }
    return best;
  }

  // Gives one unit for none or one; with Trades::two one for two, or two for one.
  void improve(int32_t from, int32_t to, Trades trades, Exchange& best) const {
    const auto consider = [&](std::array<int32_t, 2> give, std::array<int32_t, 2> take) {
      int64_t cells = 0, tokens = 0;
      for (int32_t unit : give) {
        if (unit >= 0) cells += units_[unit].cells, tokens += units_[unit].size;
      }
      for (int32_t unit : take) {
        if (unit >= 0) cells -= units_[unit].cells, tokens -= units_[unit].size;
      }
      const int64_t worst = std::max(cells_[from] - cells, cells_[to] + cells);
      if (worst >= best.worst) return;
      if (tokens_[to] + tokens <= limit_ && tokens_[from] - tokens <= limit_) {
        best = {give, take, to, worst};
      }
    };
    const std::vector<int32_t>&mine = owned_[from], &theirs = owned_[to];
    for (size_t i = 0; i < mine.size(); ++i) {
      if (trades == Trades::one) consider({mine[i], -1}, {-1, -1});
      for (size_t k = 0; k < theirs.size(); ++k) {
        if (trades == Trades::one) {
          consider({mine[i], -1}, {theirs[k], -1});
          continue;
        }
        for (size_t l = k + 1; l < theirs.size(); ++l) {
          consider({mine[i], -1}, {theirs[k], theirs[l]});
        }
        for (size_t j = i + 1; j < mine.size(); ++j) consider({mine[i], mine[j]}, {theirs[k], -1});
      }
    }
  }

  void move(int32_t unit, int32_t to) {
    if (unit < 0) return;
    const int32_t from = rank_of_[unit];
    std::erase(owned_[from], unit);
    owned_[to].push_back(unit);
    rank_of_[unit] = to;
    tokens_[from] -= units_[unit].size;
    cells_[from] -= units_[unit].cells;
    tokens_[to] += units_[unit].size;
    cells_[to] += units_[unit].cells;
  }

  const std::vector<Unit>& units_;
  int32_t ranks_;
  const DistributeOptions& options_;
  Totals totals_;
  int64_t limit_;
  std::vector<int64_t> tokens_;  // per rank
  std::vector<int64_t> cells_;   // per rank
  std::vector<int32_t> rank_of_;
  std::vector<std::vector<int32_t>> owned_;  // units of each rank, for the search
  std::set<std::pair<int64_t, int32_t>> by_work_;
  size_t comparisons_ = 0;  // left
};

}  // namespace

int64_t least_work(const std::vector<Unit>& units, int32_t ranks) {
  std::vector<int64_t> cells;
  for (const Unit& unit : units) cells.push_back(unit.cells);
  std::sort(cells.rbegin(), cells.rend());
  int64_t most = 0;
  for (size_t k = 0; k * ranks < cells.size(); ++k) {
    const size_t last = k * ranks;
    int64_t together = 0;
    for (size_t i = last - std::min(k, last); i <= last; ++i) together += cells[i];
    most = std::max(most, together);
  }
  return most;
}

int64_t token_limit(int64_t tokens, int32_t ranks, double delta) {
  const double mean = static_cast<double>(tokens) / ranks;
  return std::max(static_cast<int64_t>(mean * (1 + delta)), (tokens + ranks - 1) / ranks);
}

std::vector<int32_t> distribute(const std::vector<Unit>& units, int32_t ranks,
                                const DistributeOptions& options) {
  return Distributor(units, ranks, options).run();
}

}  // namespace cpbench::fcp
