// Divides the time of an iteration into parts that are never negative and sum to the whole.
//
//   TimeParts parts = *attribute_time(result);
//   parts.ideal + parts.kernel_inefficiency + ... + parts.other == parts.total
//
// The parts follow from three times of the same program (Portion in timeline.h), each until the
// rank that ends last has ended. Simulations compute all three; executors measure all three.
//
//   T    as it is
//   T_w  only work takes time: kernels, copies, merges, the layer. Exchanges take none, but a rank
//        still waits until another has computed what it needs
//   T_x  only exchanges take time
//
// F are the FLOPs of all ranks, P the peak FLOP/s of a rank, N the number of ranks; means are over
// ranks, in the program where only work takes time:
//
//   ideal                  F / (N P): all work, evenly shared, at the peak
//   kernel_inefficiency    mean time inside kernel calls, minus the ideal
//   copies, layer, other   mean times of copies and merges; of projections and FFN; of the harness
//                          itself
//   host                   mean time in which the GPU waits for its host to launch work
//   imbalance              the rest of T_w: ranks wait for the work of others
//   exposed_communication  T - T_w, minus padding: what exchanges add, including their launches by
//                          the host and kernels that they slow down
//   padding                the share of T - T_w that padding has in the bytes of all messages
//
// Times that were measured are noisy. If they would make a part negative, that part is zero and the
// others are shortened in proportion. T is the median of the samples. The exchanges of T_w cannot
// be switched off in measured runs without losing the order of ranks: they move no bytes (on GPUs 8
// per message), so their latency remains in T_w.
//
// The ideal counts the pairs of the forward pass; the backward pass is assumed to be distributed
// identically.
#pragma once

#include <optional>

#include "harness/measure/result.h"

namespace cpbench {

struct TimeParts {
  double total = 0;  // T
  double ideal = 0;
  double kernel_inefficiency = 0;
  double imbalance = 0;
  double exposed_communication = 0;
  double padding = 0;
  double copies = 0;
  double layer = 0;
  double host = 0;
  double other = 0;

  double compute_only = 0;   // T_w
  double exchange_only = 0;  // T_x

  // The share of the shorter of T_w and T_x that the other hides; negative if they slow each other
  // down more than they overlap. Nullopt if one of them is zero.
  std::optional<double> overlap() const;
};

// The sums over packs, which run one after another. Nullopt if the portions of a pack were not
// measured, or the peak is unknown.
std::optional<TimeParts> attribute_time(const Result& result);

}  // namespace cpbench
