#include "methods/fcp/relayout.h"

#include <algorithm>
#include <map>
#include <utility>

namespace cpbench::fcp {
namespace {

class Mover {
 public:
  Mover(const Schedule& schedule, RangeSets& sets) : schedule_(schedule), sets_(sets) {
    for (const Range& home : schedule.home) {
      if (home.size() > 0) ends_.push_back(home.end);  // those without tokens come last
    }
  }

  std::vector<Move> run() {
    const std::vector<Sequence>& sequences = schedule_.units.sequences;
    for (const Sequence& sequence : sequences) {
      for (int32_t c = 0; c < sequence.chunks; ++c) {
        const int32_t owner = schedule_.rank_of[sequence.unit_of_chunk(c)];
        for_each_home(sequence.chunk(c), [&](int32_t home, Range tokens) {
          if (home != owner) moves_.push_back({home, owner, sets_.intern(tokens)});
        });
      }
    }
    const size_t cut = sequences.empty() ? 0 : sequences.back().first_unit + sequences.back().units;
    for (size_t u = cut; u < schedule_.units.units.size(); ++u) add_packed(u);
    for (auto& [pair, tokens] : packed_) {
      moves_.push_back({pair.first, pair.second, sets_.intern(normalise(std::move(tokens)))});
    }
    return std::move(moves_);
  }

 private:
  void add_packed(size_t unit) {
    const int32_t owner = schedule_.rank_of[unit];
    for (const Range& range : schedule_.units.units[unit].tokens) {
      for_each_home(range, [&](int32_t home, Range tokens) {
        if (home != owner) packed_[{home, owner}].push_back(tokens);
      });
    }
  }

  template <typename Visit>
  void for_each_home(Range range, Visit visit) const {
    auto at = std::upper_bound(ends_.begin(), ends_.end(), range.begin);
    while (range.begin < range.end) {
      const int64_t end = std::min(range.end, *at);
      visit(static_cast<int32_t>(at - ends_.begin()), Range{range.begin, end});
      range.begin = end;
      ++at;
    }
  }

  const Schedule& schedule_;
  RangeSets& sets_;
  std::vector<int64_t> ends_;  // of the homes that have tokens
  std::map<std::pair<int32_t, int32_t>, Ranges> packed_;
  std::vector<Move> moves_;
};

}  // namespace

std::vector<Move> relayout(const Schedule& schedule, RangeSets& sets) {
  return Mover(schedule, sets).run();
}

}  // namespace cpbench::fcp
