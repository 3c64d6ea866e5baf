// The mixed-integer program of FlexSP: which groups of which sizes there are, and how many
// sequences of each bucket each group takes, so that the slowest group is as fast as possible.
#pragma once

#include "baselines/flexsp/buckets.h"
#include "harness/strategy/integer_program.h"

namespace cpbench::flexsp {

struct ProgramResult {
  SizedGroups groups;
  bool proven = false;  // to be optimal; if not, it is the best within the limits
};

// Unknowns: used(p) is 1 if group p exists (there are as many groups of each size as fit); m(p, b)
// is how many sequences of bucket b it takes; C is the time of the slowest group, which is
// minimised.
//
//   sum over p of m(p, b) = size of bucket b
//   sum over b of longest(b) m(p, b) <= capacity size(p) used(p)
//   sum over b of t(b, size) m(p, b) + latency(size) used(p) <= C
//   sum over p of size(p) used(p) <= ranks
//   used(p) >= used(p + 1) among groups of one size, because they are interchangeable
//
// Here t(b, size) is the mean time of a sequence of the bucket. The program is
// deterministic unless the seconds of the limits end it. `start` must solve the micro-batch `items`
// with every length rounded up to that of its bucket; on one rank it is the answer. Throws
// Unsupported without CBC.
ProgramResult group_by_program(const Loads& loads, const Items& items, const Limits& limits,
                               const std::vector<Bucket>& buckets, const SizedGroups& start,
                               const SearchLimits& search, const GroupCost& cost);

}  // namespace cpbench::flexsp
