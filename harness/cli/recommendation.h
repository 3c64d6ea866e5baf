// The answer of `cpbench recommend`: strategies with tuned options, in the order of their times.
#pragma once

#include <string>
#include <vector>

#include "harness/cli/table.h"
#include "harness/run/places.h"
#include "harness/run/tune.h"

namespace cpbench {

struct Recommended {
  Tuned run;
  Place place;
  double error = 0;  // of the simulated time, relative
};

// Those that have a time by place and time, then the others as they are.
struct Ranking {
  std::vector<Recommended> ranked;
  std::vector<Tuned> others;  // unsupported, out of memory, failed
};
Ranking ranking_of(const std::vector<Tuned>& tuned);

// A table with lines about ties, errors and the command that measures the first one, or all of it
// as CSV or JSON.
std::string recommendation_text(const Ranking& ranking, Format format, const View& view);

}  // namespace cpbench
