// The Plan: who owns what, who attends what, and what travels when. Plain data; everything that
// checks, compiles, simulates, executes or measures reads this and nothing else of a strategy.
//
// Tokens are global indices 0..T-1 of the packed batch, ranks 0..N-1, ranges half-open. A step
// reads only what was on the rank before that step. A rank enters its next step when its own
// attends and arrivals are done: steps are no global barriers.
//
// Rules, by the label that checker, messages and tests use:
//   P1  every index, rank, step, head range and set is in bounds and in normal form
//   P2  `home` is a partition of [0, T)
//   P3  in each pass every (query, key, query head) pair of the mask is attended exactly once
//   P4  what an attend or a send reads is on the rank before that step
//   P5  every partial result (o, dq, dkv) that is sent exists on the sender
//   P6  every partial result ends at the home of its token, and nowhere else
//   P7  no copy (q, kv, do) arrives where it already is, and each that arrives outside a
//       collective is read
//   P8  what is kept for the backward pass was on the rank in the forward pass, and is not there
//       anyway
//   P9  a collective is what its tag says: its sends share step, tensor, heads and group, and none
//       exceeds the padding
// Peak memory per rank follows from the same sweep (liveness at the granularity of steps).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/plan/problem.h"
#include "harness/plan/range_sets.h"

namespace cpbench {

enum class Tensor : uint8_t {
  q,
  kv,   // K and V of the same tokens
  o,    // a partial or final output, with its log-sum-exp
  d_o,  // the output's gradient, with the merged log-sum-exp and the row sums of dO * O
  dq,
  dkv,  // dK and dV of the same tokens
};
inline constexpr int kTensors = 6;

// Arrivals of o, dq and dkv accumulate, in plan order; arrivals of the others are copies.
inline bool is_partial(Tensor t) { return t == Tensor::o || t == Tensor::dq || t == Tensor::dkv; }

// Query heads, half-open; the KV heads follow from GQA (kv_heads_of in plan_bytes.h).
struct Heads {
  int32_t begin = 0;
  int32_t end = 0;
  int32_t size() const { return end - begin; }
  bool operator==(const Heads&) const = default;
};

// Attention of all queries of set `q` over all keys of set `kv`, as the batch's mask allows.
// Forward it adds to the rank's partial o of `q`; backward to its partial dq of `q` and dkv of
// `kv` (there it reads do of `q` as well).
struct Attend {
  int32_t step = 0;
  int32_t rank = 0;
  SetId q = RangeSets::kEmpty;
  SetId kv = RangeSets::kEmpty;
  Heads heads;
  bool operator==(const Attend&) const = default;
};

// One rank to one or many (a multicast), or many to one (a reduction of a partial tensor). `from`
// and `to` are sets of ranks; at most one has several members. A rank that is on both sides does
// not send to itself. A partial that is sent leaves the sender; in a reduction each sender gives
// what it has of `tokens`, zeros for the rest.
struct Send {
  int32_t step = 0;
  int32_t substage = 0;  // of one step, one after another on each rank
  SetId from = RangeSets::kEmpty;
  SetId to = RangeSets::kEmpty;
  Tensor tensor = Tensor::q;
  SetId tokens = RangeSets::kEmpty;
  Heads heads;
  int32_t collective = -1;  // index into Pass::collectives, or -1
  bool operator==(const Send&) const = default;
};

// The sends that carry this tag are the same data movement as one library collective over one
// group of ranks, every block of it padded to `padded_tokens`. Every rank of the group has its
// send, if need be of the empty set, and wire bytes include the padding.
enum class CollectiveKind : uint8_t {
  all_gather,      // multicasts, from each rank of the group to the whole group
  reduce_scatter,  // reductions, from the whole group to each of its ranks
  all_to_all,      // one send for each ordered pair of different ranks of the group
};
struct Collective {
  CollectiveKind kind = CollectiveKind::all_gather;
  int64_t padded_tokens = 0;
  bool operator==(const Collective&) const = default;
};

struct Pass {
  int32_t steps = 0;
  int32_t lookahead = 1;        // communication may run at most this many steps ahead; >= 0
  std::vector<Attend> attends;  // sorted by (step, rank); order inside is the plan's
  std::vector<Send> sends;      // sorted by (step, substage); order inside is the plan's
  std::vector<Collective> collectives;
  bool operator==(const Pass&) const = default;
};

// Sets `steps` to one past the last step that any operation names.
void count_steps(Pass& pass);

// A received copy that stays on `rank` for the backward pass. All else is dropped after its last
// reader; q, kv, o and its log-sum-exp stay at home always.
struct Keep {
  int32_t rank = 0;
  Tensor tensor = Tensor::kv;
  SetId tokens = RangeSets::kEmpty;
  Heads heads;
  bool operator==(const Keep&) const = default;
};

// In which dtype partial dq and dkv travel.
enum class GradientWire : uint8_t { model, accumulation };

struct Plan {
  int32_t ranks = 0;
  int64_t tokens = 0;
  int32_t query_heads = 0;
  GradientWire gradient_wire = GradientWire::model;
  RangeSets token_sets;
  RangeSets rank_sets;
  std::vector<SetId> home;  // one token set per rank
  Pass forward;
  Pass backward;
  std::vector<Keep> keep;
  bool operator==(const Plan&) const = default;
};

// Stable on every platform and across runs; ranks compare it before they run a plan.
uint64_t hash_of(const Plan& plan);

}  // namespace cpbench
