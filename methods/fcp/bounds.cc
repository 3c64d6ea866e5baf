#include "methods/fcp/bounds.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace cpbench::fcp {
namespace {

struct Part {
  double tokens = 0;  // as a fraction of the token limit of a rank
  double work = 0;    // as a fraction of the mean work of a rank
};

// Units of nearly the same work, all counted as the smallest of them.
struct Class {
  double work = 0;
  double count = 0;
};

// Units that differ by less than this fraction of the mean are in one class. Counting all of them
// as the smallest is valid: a bound for smaller units also holds for larger ones.
constexpr double kClassWidth = 0.0005;
// Units below this fraction of the mean fill whatever gaps there are.
constexpr double kSmallest = 0.04;
constexpr int kLargestK = 8;
constexpr int kBisections = 14;

std::vector<Class> classes_of(const std::vector<Part>& by_work) {
  std::vector<Class> classes;
  for (size_t i = by_work.size(); i-- > 0;) {
    const double work = by_work[i].work;
    if (work < kSmallest) continue;
    if (classes.empty() || work > classes.back().work + kClassWidth) classes.push_back({work, 0});
    classes.back().count += 1;
  }
  return classes;
}

// Whether some dual feasible function shows that N ranks of capacity c cannot hold the units.
bool too_small(const std::vector<Class>& classes, double ranks, double c) {
  // Slightly reduced, so that rounding never counts a unit for more than it may.
  const auto part = [&](const Class& of) { return of.work / c * (1 - 1e-12); };
  std::vector<double> thresholds = {0};
  for (const Class& of : classes) {
    if (part(of) <= 0.5) thresholds.push_back(part(of));
  }
  for (double e : thresholds) {
    for (int k = 0; k <= kLargestK; ++k) {
      double sum = 0;
      for (const Class& of : classes) {
        double x = part(of);
        x = x > 1 - e ? 1 : x < e ? 0 : x;
        if (k > 0 && x < 1) x = std::min(1.0, std::floor((k + 1) * x) / k);
        sum += of.count * x;
      }
      if (sum > ranks + 1e-9) return true;
    }
  }
  return false;
}

// The largest c that too_small refutes, to the precision of the bisection; at least `known`.
double bin_packing_bound(const std::vector<Part>& by_work, double ranks, double known) {
  const std::vector<Class> classes = classes_of(by_work);
  double refuted = known, open = 1.25 * known;
  for (int i = 0; i < kBisections; ++i) {
    const double c = (refuted + open) / 2;
    (too_small(classes, ranks, c) ? refuted : open) = c;
  }
  return refuted;
}

double token_bound(const std::vector<Part>& by_work, double ranks) {
  std::vector<size_t> by_density(by_work.size());
  std::iota(by_density.begin(), by_density.end(), size_t{0});
  std::stable_sort(by_density.begin(), by_density.end(), [&](size_t a, size_t b) {
    return by_work[a].work * by_work[b].tokens > by_work[b].work * by_work[a].tokens;
  });
  double bound = 1;
  for (size_t j = 1; j <= by_work.size() && static_cast<double>(j) < ranks; ++j) {
    // Above this work, two of the j largest units fit on one rank.
    const double pair = j == 1 ? ranks : by_work[j - 2].work + by_work[j - 1].work;
    if (pair <= bound) break;
    const bool next_is_equal =
        j < by_work.size() && by_work[j - 1].work - by_work[j].work < kClassWidth;
    if (next_is_equal && static_cast<double>(j + 1) < ranks) continue;
    double room = ranks - static_cast<double>(j), elsewhere = 0;
    for (size_t i : by_density) {
      if (i < j) continue;
      const double share = std::min(1.0, room / by_work[i].tokens);
      elsewhere += share * by_work[i].work;
      room -= share * by_work[i].tokens;
      if (room <= 0) break;
    }
    bound = std::max(bound, std::min(pair, (ranks - elsewhere) / static_cast<double>(j)));
  }
  return bound;
}

}  // namespace

int64_t least_work_by_count(const std::vector<Unit>& units, int32_t ranks) {
  std::vector<int64_t> pairs;
  for (const Unit& unit : units) pairs.push_back(unit.pairs);
  std::sort(pairs.rbegin(), pairs.rend());
  int64_t most = 0;
  for (size_t k = 0; k * ranks < pairs.size(); ++k) {
    const size_t last = k * ranks;
    int64_t together = 0;
    for (size_t i = last - std::min(k, last); i <= last; ++i) together += pairs[i];
    most = std::max(most, together);
  }
  return most;
}

int64_t least_work(const std::vector<Unit>& units, int32_t ranks, int64_t token_limit) {
  double pairs = 0;
  for (const Unit& unit : units) pairs += static_cast<double>(unit.pairs);
  const double mean = pairs / ranks;
  const int64_t by_count =
      std::max(least_work_by_count(units, ranks), static_cast<int64_t>(std::ceil(mean)));
  if (mean == 0) return by_count;
  std::vector<Part> parts;
  for (const Unit& unit : units) {
    parts.push_back({static_cast<double>(unit.size) / static_cast<double>(token_limit),
                     static_cast<double>(unit.pairs) / mean});
  }
  std::sort(parts.begin(), parts.end(),
            [](const Part& a, const Part& b) { return a.work > b.work; });
  const double bound =
      std::max(bin_packing_bound(parts, ranks, static_cast<double>(by_count) / mean),
               token_bound(parts, ranks));
  return std::max(by_count, static_cast<int64_t>(bound * mean));
}

}  // namespace cpbench::fcp
