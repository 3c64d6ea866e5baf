#include "harness/cli/winners.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "harness/cli/human.h"
#include "harness/cli/json_number.h"
#include "harness/cli/run_table.h"
#include "harness/run/places.h"

namespace cpbench {
namespace {

struct Contender {  // a strategy's fastest run of a problem
  const Outcome* run = nullptr;
  UncertainTime time;
};

// By problem, in the order of the runs.
std::vector<std::vector<Contender>> contests_of(const std::vector<Outcome>& outcomes) {
  std::vector<std::vector<Contender>> contests;
  std::map<std::string, size_t> places;
  for (const Outcome& outcome : outcomes) {
    const auto time = uncertain_time(outcome);
    if (!time) continue;
    const auto [place, is_new] = places.emplace(problem_key(outcome.spec), contests.size());
    if (is_new) contests.emplace_back();
    std::vector<Contender>& contest = contests[place->second];
    const auto own = std::ranges::find_if(
        contest, [&](const Contender& c) { return c.run->spec.strategy == outcome.spec.strategy; });
    if (own == contest.end()) {
      contest.push_back({&outcome, *time});
    } else if (time->seconds < own->time.seconds) {
      *own = {&outcome, *time};
    }
  }
  for (std::vector<Contender>& contest : contests) {
    std::ranges::stable_sort(contest, {}, [](const Contender& c) { return c.time.seconds; });
  }
  return contests;
}

}  // namespace

Table winners_table(const std::vector<Outcome>& outcomes, Format format) {
  const bool complete = format == Format::csv || format == Format::json;
  std::vector<RunSpec> winners;
  Table values{{{"tied with", false, 8},
                {complete ? "seconds_per_pack" : "time per pack", true, 7},
                {complete ? "next_over_winner" : "next / winner", true, 7},
                {"strategies", true, 3}},
               {}};
  for (const std::vector<Contender>& contest : contests_of(outcomes)) {
    const Contender& winner = contest.front();
    std::vector<std::string> tied;
    double next = 0;
    for (const Contender& other : contest) {
      if (&other == &winner) continue;
      if (!surely_faster(winner.time, other.time)) {
        tied.push_back(other.run->spec.strategy);
      } else if (next == 0) {
        next = other.time.seconds / winner.time.seconds;
      }
    }
    const double seconds = winner.time.seconds / winner.run->spec.packs;
    winners.push_back(winner.run->spec);
    values.rows.push_back({fmt::format("{}", fmt::join(tied, " ")),
                           complete ? json_number(seconds).dump() : short_seconds(seconds),
                           next == 0  ? ""
                           : complete ? json_number(next).dump()
                                      : times(next),
                           std::to_string(contest.size())});
  }
  Table fields = field_table(winners);
  fields.columns.front().name = "winner";
  return joined(std::move(fields), values);
}

}  // namespace cpbench
