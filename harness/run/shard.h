// A part of a sweep, for sweeps that are larger than one machine. The parts need not know of each
// other: each runs what its number says, and their folders are merged by copying the files into
// one.
//
//   cpbench run SUITE --shard 3/8          # on one machine of eight
//   cpbench run SUITE --shard slurm        # in a Slurm array
//
// Every part also leaves the list of the whole sweep, a file expected-<hash>.txt that is the same
// in all parts, so that what is still missing is known wherever the files are.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace cpbench {

struct Shard {
  int32_t number = 1;  // from 1
  int32_t of = 1;
};

// "3/8", or "slurm" for the array that this process is a task of. Throws UserError.
Shard parse_shard(const std::string& text);

// Which of `keys` belong to the part, in their order. Each key belongs to exactly one part; sizes
// of parts differ by at most one, and neighbours come into different parts by chance.
std::vector<size_t> part_of(const std::vector<std::string>& keys, const Shard& shard);

// Writes the list of the whole sweep: names of result files.
void write_expected(const std::string& folder, std::vector<std::string> names);

struct Expected {
  size_t runs = 0;
  std::vector<std::string> missing;  // names of result files
};
// By all lists in the folder and below. `found`: paths of the result files that are there.
Expected expected_in(const std::string& folder, const std::vector<std::string>& found);

}  // namespace cpbench
