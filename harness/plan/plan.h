// The Plan: which rank owns which tokens, which rank attends what, and what is sent when. A plan is
// plain data. Whatever checks, compiles, simulates, executes or measures a strategy reads its plan
// and nothing else of it.
//
// Example, a ring of two ranks over one causal document of 8 tokens, forward:
//
//   home     rank 0 owns [0, 4), rank 1 owns [4, 8)
//   step 0   each rank attends its own queries to its own keys; rank 0 sends kv [0, 4) to rank 1
//   step 1   rank 1 attends q [4, 8) to kv [0, 4)
//
// Tokens are global indices 0..T-1 of the packed batch, ranks are 0..N-1, and ranges are half-open.
// An operation reads only what was on its rank before its step. A rank enters its next step when
// its own attends and arrivals are done, so steps are not global barriers.
//
// Rules, by the label that checker, messages and tests use:
//   P1  every index, rank, step, head range and set is in bounds and in normal form; a pass has at
//       most 1,024 steps more than operations
//   P2  `home` is a partition of [0, T)
//   P3  in each pass every (query, key, query head) triple of the mask is attended exactly once
//   P4  what an attend or a send reads is on its rank before that step
//   P5  every partial result (o, dq, dkv) that is sent exists on the sender
//   P6  every partial result ends at the home of its token, and nowhere else
//   P7  no copy (q, kv, do) arrives where it already is, and each copy that arrives outside a
//       collective is read
//   P8  what is kept for the backward pass was on the rank in the forward pass, and is not there
//       already
//   P9  a collective is what its tag says: its sends share step, tensor, heads and group, and none
//       exceeds the padding, which is at most the whole batch
// The check also yields the peak memory of each rank, from the step in which each copy or partial
// arrives and the last step that uses it.
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
  d_o,  // the gradient of the output, with the merged log-sum-exp and the row sums of dO * O
  dq,
  dkv,  // dK and dV of the same tokens
};
inline constexpr int kTensors = 6;

// Whether arrivals of the tensor accumulate, in plan order. Arrivals of the other tensors are
// copies.
inline bool is_partial(Tensor t) { return t == Tensor::o || t == Tensor::dq || t == Tensor::dkv; }

// A half-open range of query heads. The KV heads follow from grouped-query attention (kv_heads_of
// in plan_bytes.h).
struct Heads {
  int32_t begin = 0;
  int32_t end = 0;
  int32_t size() const { return end - begin; }
  bool contains(Heads inner) const { return begin <= inner.begin && inner.end <= end; }
  bool overlaps(Heads other) const { return begin < other.end && other.begin < end; }
  bool operator==(const Heads&) const = default;
};

// Attention of all queries of set `q` to all keys of set `kv`, as far as the mask of the batch
// allows. In the forward pass it adds to the rank's partial o of `q`. In the backward pass it also
// reads do of `q`, and adds to the rank's partial dq of `q` and dkv of `kv`.
struct Attend {
  int32_t step = 0;
  int32_t rank = 0;
  SetId q = RangeSets::kEmpty;   // a token set that is not empty
  SetId kv = RangeSets::kEmpty;  // a token set that is not empty
  Heads heads;                   // not empty
  bool operator==(const Attend&) const = default;
};

// A transfer from one rank to one rank, from one to many (a multicast), or from many to one (a
// reduction of a partial tensor). `from` and `to` are sets of ranks, of which at most one has
// several members. A rank that is in both sets does not send to itself. A partial result that is
// sent leaves the sender. In a reduction each sender contributes what it has of `tokens`, and zeros
// for the rest.
struct Send {
  int32_t step = 0;
  int32_t substage = 0;            // a rank's sub-stages of one step run one after another
  SetId from = RangeSets::kEmpty;  // a rank set
  SetId to = RangeSets::kEmpty;    // a rank set
  Tensor tensor = Tensor::q;
  SetId tokens = RangeSets::kEmpty;  // a token set; may be empty only in a collective
  Heads heads;
  int32_t collective = -1;  // index into Pass::collectives, or -1
  bool operator==(const Send&) const = default;
};

// The sends that carry this tag move the same data as one library collective over one group of
// ranks in which every block is padded to `padded_tokens`. Every rank of the group has its send,
// even if its token set is empty, and wire bytes include the padding.
enum class CollectiveKind : uint8_t {
  all_gather,      // multicasts from each rank of the group to the whole group
  reduce_scatter,  // reductions from the whole group to each of its ranks
  all_to_all,      // one send for each ordered pair of different ranks of the group
};
struct Collective {
  CollectiveKind kind = CollectiveKind::all_gather;
  int64_t padded_tokens = 0;
  bool operator==(const Collective&) const = default;
};

struct Pass {
  int32_t steps = 0;            // more than the step of any operation
  int32_t lookahead = 1;        // how many steps ahead communication may run; >= 0
  std::vector<Attend> attends;  // sorted by (step, rank); the strategy orders equal ones
  std::vector<Send> sends;      // sorted by (step, substage); the strategy orders equal ones
  std::vector<Collective> collectives;
  bool operator==(const Pass&) const = default;
};

// Sets `steps` to one more than the last step of any operation.
void count_steps(Pass& pass);

// A received copy that stays on `rank` for the backward pass. Every other received copy is dropped
// after its last reader. q, kv, o and the log-sum-exp of a rank's own tokens always stay at home.
struct Keep {
  int32_t rank = 0;
  Tensor tensor = Tensor::kv;  // q or kv
  SetId tokens = RangeSets::kEmpty;
  Heads heads;
  bool operator==(const Keep&) const = default;
};

// The dtype in which partial dq and dkv travel: that of the model, or that of accumulation.
enum class GradientWire : uint8_t { model, accumulation };

struct Plan {
  int32_t ranks = 0;
  int64_t tokens = 0;  // T, of the packed batch
  int32_t query_heads = 0;
  GradientWire gradient_wire = GradientWire::model;
  RangeSets token_sets;  // operations name sets by their index in these two pools
  RangeSets rank_sets;
  std::vector<SetId> home;  // one token set per rank
  Pass forward;
  Pass backward;
  std::vector<Keep> keep;
  bool operator==(const Plan&) const = default;
};

// A hash that is the same on every platform and in every run. Ranks compare it before they run a
// plan.
uint64_t hash_of(const Plan& plan);

}  // namespace cpbench
