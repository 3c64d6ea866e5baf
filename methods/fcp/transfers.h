// Which keys travel from the rank of a unit to the ranks whose queries see them.
//
// By default each chunk goes once to each rank that sees it, without the tokens that are at home
// there anyway; of a sliding window only the visible end is sent. Without deduplication the whole
// unit is sent, once for each of the receiver's units that sees any of it.
#pragma once

#include <cstdint>
#include <vector>

#include "harness/plan/mask.h"
#include "harness/plan/range_sets.h"
#include "methods/fcp/units.h"

namespace cpbench::fcp {

// Queries of one rank that attend together: its units of one sequence, or packed short sequences.
// Without deduplication, one unit.
struct Job {
  int32_t rank = 0;
  SetId tokens = RangeSets::kEmpty;
  int64_t pairs = 0;  // (query, key) pairs of its queries
};

struct Transfer {
  int32_t from = 0;
  int32_t to = 0;
  int32_t job = 0;  // of the receiver
  SetId tokens = RangeSets::kEmpty;
  int64_t pairs = 0;  // of the job's queries with these keys; an upper bound for sliding windows
};

struct Needs {
  std::vector<Job> jobs;            // by sequence, then by rank; the packed ones last
  std::vector<int32_t> job_of;      // of each unit
  std::vector<Transfer> transfers;  // by sequence, then by chunk
  std::vector<Ranges> from_home;    // per rank: the home tokens that its units see
};

// `rank_of` has the rank of each unit. `home` has one range per rank, as the user laid out the
// tokens. Token sets are interned in `sets`.
Needs find_needs(const MaskIndex& mask, const Units& units, const std::vector<int32_t>& rank_of,
                 const std::vector<Range>& home, bool deduplicate, RangeSets& sets);

// `a` without `b`, which is at most two ranges.
Ranges without(Range a, Range b);

}  // namespace cpbench::fcp
