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
      if (home.size() > 0) ends_.push_back(home.end);  // ranks without tokens are the last ones
    }
  }

  std::vector<Move> run() {
    const std::vector<Sequence>& sequences = schedule_.units.sequences;
    for (const Sequence& sequence : sequences) {
      for (int32_t c = 0; c < sequence.chunks; ++c) {
        const int32_t unit = sequence.unit_of_chunk(c);
        for_each_home(sequence.chunk(c), [&](int32_t home, Range tokens) {
          if (home != schedule_.rank_of[unit]) add(unit, home, sets_.intern(tokens));
        });
      }
    }
    const auto units = static_cast<int32_t>(schedule_.units.units.size());
    int32_t unit = sequences.empty() ? 0 : sequences.back().first_unit + sequences.back().units;
    for (; unit < units; ++unit) add_packed(unit);
    return std::move(moves_);
  }

 private:
  void add(int32_t unit, int32_t home, SetId tokens) {
    moves_.push_back({home, schedule_.rank_of[unit], schedule_.needs.job_of[unit], tokens});
  }

  void add_packed(int32_t unit) {
    std::map<int32_t, Ranges> by_home;
    for (const Range& range : schedule_.units.units[unit].tokens) {
      for_each_home(range, [&](int32_t home, Range tokens) {
        if (home != schedule_.rank_of[unit]) by_home[home].push_back(tokens);
      });
    }
    for (auto& [home, tokens] : by_home) {
      add(unit, home, sets_.intern(normalise(std::move(tokens))));
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
  std::vector<Move> moves_;
};

}  // namespace

std::vector<Move> relayout(const Schedule& schedule, RangeSets& sets) {
  if (!schedule.reshuffled) return {};
  return Mover(schedule, sets).run();
}

}  // namespace cpbench::fcp
