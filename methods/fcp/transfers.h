// Which keys travel from the rank of a unit to the ranks whose queries see them.
//
// In the paper, a whole unit is sent once for each of the receiver's units that sees any of it, but
// without the tokens that are at home there anyway. With deduplication it is sent once to each
// rank, and only what the rank's queries see of it: of a zigzag unit often only the early chunk.
// Either way, a transfer brings all the work that its two units have with each other, which is the
// same for all units of a sequence. Sending the chunks of a unit apart would move the same bytes,
// but some transfers would then bring twice the work of others, and ranks that exchange would wait
// for each other.
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
  std::vector<Transfer> transfers;  // by sequence, then by unit
  std::vector<Ranges> from_home;    // per rank: the home tokens that its units see
};

// `rank_of` has the rank of each unit. `home` has one range per rank, as the user laid out the
// tokens. Token sets are interned in `sets`.
Needs find_needs(const Batch& batch, const Units& units, const std::vector<int32_t>& rank_of,
                 const std::vector<Range>& home, bool deduplicate, RangeSets& sets);

}  // namespace cpbench::fcp
