// Outcomes of a sweep as text.
#pragma once

#include <string>
#include <vector>

#include "harness/cli/table.h"
#include "harness/run/outcome.h"

namespace cpbench {

// The strategy to which ratios refer: `wanted`, else allgather, else the first. Throws UserError if
// `wanted` is not there.
std::string baseline_of(const std::vector<RunSpec>& specs, const std::string& wanted);

template <typename Item>  // a Job or an Outcome
std::vector<RunSpec> specs_of(const std::vector<Item>& items) {
  std::vector<RunSpec> specs;
  for (const Item& item : items) specs.push_back(item.spec);
  return specs;
}

// The table for people with lines for what runs have in common and for errors, or everything as CSV
// or JSON. If no run is ok there are only lines.
std::string report(const std::vector<Outcome>& outcomes, const std::string& baseline, Format format,
                   const View& view = {});

}  // namespace cpbench
