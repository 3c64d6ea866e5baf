// Where the time of one traced iteration went, in parts that sum to the whole.
//
//   TimeParts parts = *attribute_time(result);
//   parts.ideal + parts.kernel_inefficiency + ... + parts.other == parts.total
//
// The rank that ends last is looked at, since its end is the iteration's. With P the peak FLOP/s of
// one rank, F the FLOPs of all ranks, f those of this rank, N the number of ranks:
//
//   ideal                  F / (N P): all work, evenly shared, at the peak
//   kernel_inefficiency    inside kernel calls, less f / P
//   imbalance              (f - F / N) / P, and waiting while nothing of this rank is in flight:
//                          another rank is not ready. Negative where the last rank has less to do
//   exposed_communication  waiting while bytes of this rank are in flight, and handing bytes to the
//                          transport; less padding. A timeline without transfers cannot tell
//                          waiting for bytes from waiting for ranks: all of it stands here
//   padding                the share of the exposed communication that the padding of collectives
//                          has in the bytes this rank receives
//   copies                 packing and unpacking, and merging of partial results
//   layer                  projections and FFN
//   other                  none of these: the harness itself
//
// F and f count pairs of the forward pass; backward is taken to be shared alike.
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

// Summed over packs, which run one after another. Nullopt without a trace of every pack, or a peak.
std::optional<TimeParts> attribute_time(const Result& result);

}  // namespace cpbench
