// Two sets of results side by side: which cells belong together, and what B is over A.
//
//   const Comparison both = compare(read_side("before"), read_side("after"));
//   std::cout << comparison_text(both, {"wire_bytes"}, Format::table);
#pragma once

#include <map>
#include <string>
#include <vector>

#include "harness/cli/table.h"
#include "harness/run/outcome.h"

namespace cpbench {

struct ComparedResult {
  Outcome outcome;
  std::map<std::string, std::string> provenance;
};

struct Side {
  std::string path;
  std::vector<ComparedResult> results;
};

// A file or a folder. Throws UserError if there is no result, or two of the same cell.
Side read_side(const std::string& path);

struct Comparison {
  Side a, b;
  std::vector<std::pair<size_t, size_t>> pairs;  // indices into the results of a and b
  std::vector<size_t> only_a, only_b;
};

// Cells belong together that are the same run; of the rest those that are the same strategy on the
// same problem and differ in how they were run alone (backend, cluster, kernel, iterations), if
// there is one such cell on either side. Throws UserError if nothing belongs together.
Comparison compare(Side a, Side b);

// "measured", "simulated" or "planned"; of several cells the one word that holds for all, or
// "mixed".
std::string source_of(const Outcome& outcome);
std::string source_of(const Side& side);

// What forbids to read the ratios of times as they stand, one line each.
std::vector<std::string> cautions(const Comparison& comparison);

// `wanted`: names of metrics; empty: those of every comparison that some pair has.
std::string comparison_text(const Comparison& comparison, const std::vector<std::string>& wanted,
                            Format format);

}  // namespace cpbench
