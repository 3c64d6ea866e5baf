// Divides the time of one traced iteration into parts that sum to the whole.
//
//   TimeParts parts = *attribute_time(result);
//   parts.ideal + parts.kernel_inefficiency + ... + parts.other == parts.total
//
// The parts are those of the rank that ends last, because its end is the end of the iteration. P is
// the peak FLOP/s of one rank, F the FLOPs of all ranks, f those of this rank, and N the number of
// ranks:
//
//   ideal                  F / (N P): all work, evenly shared, at the peak
//   kernel_inefficiency    time inside kernel calls, minus f / P
//   imbalance              (f - F / N) / P, and waiting while nothing of this rank is in flight,
//                          because another rank is not ready. Negative if the last rank has less
//                          work than the mean
//   exposed_communication  waiting while bytes of this rank are in flight, and handing bytes to the
//                          transport; minus padding. A timeline without transfers cannot
//                          distinguish waiting for bytes from waiting for ranks, so all waiting is
//                          part of this
//   padding                the share of the exposed communication that the padding of collectives
//                          has in the bytes that this rank receives
//   copies                 packing and unpacking, and merging of partial results
//   layer                  projections and FFN
//   other                  the rest: the harness itself
//
// F and f count the pairs of the forward pass; the backward pass is assumed to be distributed
// identically.
#pragma once

#include <optional>

#include "harness/measure/result.h"

namespace cpbench {

struct TimeParts {
  double total = 0;
  double ideal = 0;
  double kernel_inefficiency = 0;
  double imbalance = 0;
  double exposed_communication = 0;
  double padding = 0;
  double copies = 0;
  double layer = 0;
  double other = 0;
};

// The sums over packs, which run one after another. Nullopt if a pack has no trace, or the peak is
// unknown.
std::optional<TimeParts> attribute_time(const Result& result);

}  // namespace cpbench
