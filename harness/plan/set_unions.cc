#include "harness/plan/set_unions.h"

#include <algorithm>

namespace cpbench {
namespace {

// How many tokens are merged at once: few enough that their ranges are sorted in cache.
constexpr int64_t kWindowTokens = 1 << 16;

class Merger {
 public:
  void add(Range r) {
    if (r.begin < reached_) doubled_.push_back({r.begin, std::min(r.end, reached_)});
    if (r.begin <= reached_ && !united_.empty()) {
      united_.back().end = std::max(united_.back().end, r.end);
    } else {
      united_.push_back(r);
    }
    reached_ = std::max(reached_, r.end);
  }
  SetUnions::Union finish() { return {std::move(united_), normalise(std::move(doubled_))}; }

 private:
  int64_t reached_ = -1;  // the end of the union so far
  Ranges united_;
  Ranges doubled_;
};

// Sorts a vector that consists of sorted runs, by merging pairs of runs. `starts` holds the begin
// of each run and, last, the size.
class RunMerger {
 public:
  void sort(std::vector<Range>& ranges, std::vector<size_t> starts) {
    const auto earlier = [](const Range& a, const Range& b) { return a.begin < b.begin; };
    merged_.resize(ranges.size());
    while (starts.size() > 2) {
      size_t kept = 0;
      for (size_t i = 0; i + 1 < starts.size(); i += 2) {
        const auto begin = ranges.begin();
        const size_t middle = starts[i + 1], end = starts[std::min(i + 2, starts.size() - 1)];
        std::merge(begin + starts[i], begin + middle, begin + middle, begin + end,
                   merged_.begin() + starts[i], earlier);
        starts[kept++] = starts[i];
      }
      starts[kept++] = ranges.size();
      starts.resize(kept);
      ranges.swap(merged_);
    }
  }

 private:
  std::vector<Range> merged_;
};

// Merges all sets, one window of tokens after another. A set takes part from the window of its
// first range on.
SetUnions::Union unite_all(const RangeSets& sets, const std::vector<SetId>& list) {
  std::vector<RangeSpan> all;
  for (SetId id : list) {
    if (!sets[id].empty()) all.push_back(sets[id]);
  }
  const auto begin = [](RangeSpan r) { return r.front().begin; };
  std::ranges::sort(all, {}, begin);
  auto next = all.begin();
  std::vector<RangeSpan> rest;  // what is not merged yet of the sets that take part
  Merger merger;
  RunMerger runs;
  std::vector<Range> window;
  while (!rest.empty() || next != all.end()) {
    int64_t first = next != all.end() ? begin(*next) : begin(rest[0]);
    for (const RangeSpan& r : rest) first = std::min(first, begin(r));
    for (; next != all.end() && begin(*next) < first + kWindowTokens; ++next) {
      rest.push_back(*next);
    }
    window.clear();
    std::vector<size_t> starts;
    for (RangeSpan& r : rest) {
      starts.push_back(window.size());
      while (!r.empty() && begin(r) < first + kWindowTokens) {
        window.push_back(r.front());
        r = r.subspan(1);
      }
    }
    starts.push_back(window.size());
    runs.sort(window, std::move(starts));
    for (const Range& r : window) merger.add(r);
    std::erase_if(rest, [](const RangeSpan& r) { return r.empty(); });
  }
  return merger.finish();
}

}  // namespace

const SetClusters& SetUnions::clusters() {
  if (!clusters_) clusters_ = std::make_unique<SetClusters>(sets_);
  return *clusters_;
}

const SetUnions::Union& SetUnions::of(std::vector<SetId> list) {
  std::sort(list.begin(), list.end());
  uint64_t hash = 0x9ae16a3b2f90404fULL;
  for (SetId id : list) hash = (hash ^ static_cast<uint64_t>(id)) * 0x100000001b3ULL ^ (hash >> 31);
  auto [begin, end] = known_.equal_range(hash);
  for (auto it = begin; it != end; ++it) {
    if (it->second.first == list) return *it->second.second;
  }
  auto united = std::make_unique<Union>(unite_all(sets_, list));
  auto it = known_.emplace(hash, std::make_pair(std::move(list), std::move(united)));
  return *it->second.second;
}

}  // namespace cpbench
