#include "methods/flexcp/degrees.h"

#include <algorithm>
#include <limits>

namespace cpbench::flexcp {
namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();

// For each d up to `ranks`: the degree in [least_ranks, d] at which the bin is fastest, and its
// time.
struct BestUpTo {
  std::vector<double> seconds;
  std::vector<int32_t> degree;

  void fill(const Bin& bin, int32_t ranks, int32_t max_degree, const Cost& cost) {
    seconds.assign(ranks + 1, kNever);
    degree.assign(ranks + 1, 0);
    for (int32_t d = bin.least_ranks; d <= ranks; ++d) {
      const double here = d <= max_degree ? cost.seconds(bin.load, d) : kNever;
      const bool better = here < seconds[d - 1];
      seconds[d] = better ? here : seconds[d - 1];
      degree[d] = better ? d : degree[d - 1];
    }
  }
};

}  // namespace

void choose_degrees(std::vector<Bin>& bins, int32_t ranks, int32_t max_degree, const Cost& cost) {
  std::vector<double> before(ranks + 1, 0), after(ranks + 1);
  std::vector<std::vector<int32_t>> choice(bins.size(), std::vector<int32_t>(ranks + 1, 0));
  BestUpTo best;
  for (size_t k = 0; k < bins.size(); ++k) {
    best.fill(bins[k], ranks, max_degree, cost);
    int32_t d = bins[k].least_ranks;
    for (int32_t n = 0; n <= ranks; ++n) {
      after[n] = kNever;
      if (n < bins[k].least_ranks) continue;
      while (d <= n && best.seconds[d] > before[n - d]) ++d;
      // Before the crossing this bin is the slower side; from the crossing on, the bins before it
      // are.
      int32_t chosen = d - 1;
      after[n] = chosen >= bins[k].least_ranks ? best.seconds[chosen] : kNever;
      if (d <= n && before[n - d] < after[n]) {
        chosen = d;
        after[n] = before[n - d];
      }
      if (after[n] < kNever) choice[k][n] = best.degree[chosen];
    }
    std::swap(before, after);
  }
  int32_t left = ranks;
  for (size_t k = bins.size(); k-- > 0;) {
    bins[k].degree = choice[k][left];
    left -= bins[k].degree;
  }
}

void spend_leftover(std::vector<Bin>& bins, int32_t ranks, int32_t max_degree, Leftover rule,
                    const Cost& cost) {
  int32_t left = ranks;
  for (const Bin& bin : bins) left -= bin.degree;
  if (rule == Leftover::round_robin) {
    for (bool given = true; given && left > 0;) {
      given = false;
      for (Bin& bin : bins) {
        if (left == 0 || bin.degree >= max_degree) continue;
        ++bin.degree;
        --left;
        given = true;
      }
    }
    return;
  }
  while (left > 0) {
    auto slowest = std::max_element(bins.begin(), bins.end(), [&](const Bin& a, const Bin& b) {
      return cost.seconds(a.load, a.degree) < cost.seconds(b.load, b.degree);
    });
    int32_t chosen = slowest->degree;
    double fastest = cost.seconds(slowest->load, chosen);
    const int32_t most = std::min(max_degree, slowest->degree + left);
    for (int32_t d = slowest->degree + 1; d <= most; ++d) {
      const double seconds = cost.seconds(slowest->load, d);
      if (seconds >= fastest) continue;
      fastest = seconds;
      chosen = d;
    }
    if (chosen == slowest->degree) return;
    left -= chosen - slowest->degree;
    slowest->degree = chosen;
  }
}

double slowest_seconds(const std::vector<Bin>& bins, const Cost& cost) {
  double slowest = 0;
  for (const Bin& bin : bins) {
    if (!bin.sequences.empty()) slowest = std::max(slowest, cost.seconds(bin.load, bin.degree));
  }
  return slowest;
}

}  // namespace cpbench::flexcp
