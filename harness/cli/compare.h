// Two sets of results side by side: which runs belong together, and the ratios of B to A.
//
//   const Comparison both = compare(read_side("before"), read_side("after"));
//   std::cout << comparison_text(both, {"wire_bytes"}, Format::table);
#pragma once

#include <string>
#include <vector>

#include "harness/cli/result_files.h"
#include "harness/cli/table.h"

namespace cpbench {

struct Side {
  std::string path;
  std::vector<StoredRun> runs;
};

// Reads a file or a folder. Throws UserError if it has no result, or the same run twice.
Side read_side(const std::string& path);

struct Comparison {
  Side a, b;
  std::vector<std::pair<size_t, size_t>> pairs;  // indices into the runs of a and b
  std::vector<size_t> only_a, only_b;
};

// Pairs the runs that have the same id. Of the rest it pairs runs of the same strategy on the same
// problem, which differ only in how they were run (backend, cluster, kernel, iterations), if each
// side has one such run. Throws UserError if there is no pair.
Comparison compare(Side a, Side b);

// `source_of` all runs of the side, or "mixed".
std::string source_of(const Side& side);

// Reasons why ratios of times do not mean what they seem to, one line each.
std::vector<std::string> cautions(const Comparison& comparison);

// `wanted`: names of metrics; empty: the usual ones that some pair has, and those that the view
// names.
std::string comparison_text(const Comparison& comparison, const std::vector<std::string>& wanted,
                            Format format, const View& view = {});

}  // namespace cpbench
