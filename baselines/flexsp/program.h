// The mixed-integer program of FlexSP: which groups of which sizes there are, and how many
// sequences of each bucket each of them takes, so that the slowest group is done first.
#pragma once

#include "baselines/flexsp/buckets.h"

namespace cpbench::flexsp {

struct ProgramResult {
  SizedGroups groups;
  bool proven = false;  // optimal; else the best within the nodes
};

// Unknowns: used(p), 1 where group p (of a size, as many as fit) exists; m(p, b), how many of
// bucket b it takes; C, the time of the slowest, minimised.
//
//   sum over p of m(p, b) = size of bucket b
//   sum over b of longest(b) m(p, b) <= capacity size(p) used(p)
//   sum over b of t(b, size) m(p, b) + latency(size) used(p) <= C
//   sum over p of size(p) used(p) <= ranks
//   used(p) >= used(p + 1) among groups of one size, since they are alike
//
// with t(b, size) the mean time of a sequence of the bucket. Deterministic: it stops by a count of
// nodes, never by a clock. `start` solves the micro-batch `items` with every length rounded up to
// its bucket's. Throws Unsupported without CBC.
ProgramResult group_by_program(const Loads& loads, const Items& items, const Limits& limits,
                               const std::vector<Bucket>& buckets, const SizedGroups& start,
                               int64_t nodes, const GroupCost& cost);

}  // namespace cpbench::flexsp
