// The Program: what each rank does, operation by operation, with every buffer at a fixed offset.
// Executors and simulators read it, and an iteration decides and allocates nothing. The program of
// one rank is complete in itself, so ranks can be processed one at a time.
//
// A buffer holds one tensor for a set of tokens (its rows, ascending) and heads, as consecutive
// parts of shape [rows, heads, width] without gaps, side data first:
//   q: Q [head_dim] | kv: K [head_dim], V [value_head_dim] | dq, dkv: the same
//   o: log-sum-exp [1], O [value_head_dim] | do: log-sum-exp [1], row sums [1], dO [value_head_dim]
// Where K and V travel as latents, a buffer of kv or dkv may instead hold latents or their
// gradients of shape [rows, latent_size + latent_rope_size], which serve all heads. So a message is
// a buffer, and a buffer that is already laid out as a message is sent as it is.
//
// Example, ring, rank 0 of 2, forward: send home kv; call (home q, home kv) -> home o; receive kv;
// call (home q, received kv) -> scratch o; accumulate scratch o into home o.
//
// Rules, by the label that `verify` and the tests use:
//   R1  every buffer has the bytes of its layout and lies in the arena, aligned
//   R2  buffers whose lives overlap do not overlap in the arena
//   R3  what an operation touches exists: indices, rows and heads are in bounds, buffers are alive
//   R4  rows are read only after they were written (home q, kv, latents and do are inputs)
//   R5  a query row occurs at most once in a call; segments are not empty, and each of their rows
//       sees a key
//   R6  every message that is sent is received once, by the rank it names, with the same bytes
//   R7  at the end every home row of o (and dq, dkv, d_latents after a backward pass) is written
//   R8  all ranks call the same collectives in the same order, and the blocks of one lie one after
//       another
//   R9  where the shape has attention sinks, every rank with home rows merges them exactly once,
//   after
//       all that writes home o and before the row sums read it
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "harness/plan/check.h"
#include "harness/plan/plan.h"
#include "harness/plan/problem.h"

namespace cpbench {

inline constexpr int64_t kBufferAlignment = 64;  // bytes: a cache line, enough for any SIMD load

// The dtype class of the main data (O, dQ, dK, ...). Side data is always in the accumulation dtype.
enum class ElementClass : uint8_t { model, accumulation };

// One tensor of some tokens and heads. Rows are numbered in 32 bits, because programs hold millions
// of these numbers.
struct Buffer {
  Tensor tensor = Tensor::q;
  ElementClass elements = ElementClass::model;
  bool latent = false;  // of kv or dkv: holds latents; `heads` is then [0, 1)
  Heads heads;          // KV heads for kv and dkv, query heads for the others
  int64_t rows = 0;
  int64_t bytes = 0;     // of the parts, with the padding of a message
  int64_t offset = 0;    // in the arena, in bytes
  int32_t first_op = 0;  // alive in operations [first_op, last_op]
  int32_t last_op = 0;
  bool operator==(const Buffer&) const = default;
};

struct Part {
  Dtype dtype = Dtype::float32;
  int64_t width = 0;   // elements per row and head
  int64_t offset = 0;  // from the start of the buffer, in bytes
};
struct Parts {
  std::array<Part, 3> part;
  int32_t count = 0;
  int64_t bytes = 0;
};
Parts parts_of(const Buffer& buffer, const AttentionShape& shape);

// Moves rows from one buffer to another of the same tensor, run by run, and converts elements if
// the dtypes differ. It is one launch, whatever the number of runs. If one of the two holds
// latents, it is a projection: kv = the projection of latents, latents' gradients = its transpose
// of dkv (from which the gradient of its weights follows too).
enum class RowMode : uint8_t {
  store,
  accumulate,  // o: merge by log-sum-exp; dq, dkv: add
  clear,       // has no source: writes zeros, and -infinity as log-sum-exp
};
struct RowOp {
  RowMode mode = RowMode::store;
  int32_t source = -1;    // a buffer
  int32_t target = -1;    // a buffer
  Heads heads;            // of the tensor: the buffers may have more, and latents serve all
  int32_t rows = 0;       // in all runs together
  int32_t first_run = 0;  // in RankProgram::runs
  int32_t runs = 0;
  bool operator==(const RowOp&) const = default;
};
struct RowRun {
  int32_t source_row = 0;  // unused by `clear`
  int32_t target_row = 0;  // each row at most once in an operation
  int32_t rows = 0;
  bool operator==(const RowRun&) const = default;
};

// Consecutive query rows over consecutive key rows. Query row i of a segment sees its key row j if
//   full    always
//   causal  j - i <= kv_rows - q_rows (aligned bottom right)
//   band    first <= j - i <= last
// In an outline, one segment may stand for several of as many rows, and its rows have no numbers.
// Or it is the sum of several full ones of few rows each (Detail::few_rows): its rows are those of
// all.
enum class SegmentMask : uint8_t { full, causal, band };
struct Segment {
  int32_t q_row = 0;  // in the q and do buffers
  int32_t q_rows = 0;
  int32_t kv_row = 0;
  int32_t kv_rows = 0;
  int32_t out_row = 0;  // in the o or dq buffer
  int32_t dkv_row = 0;  // in the dkv buffer; unused by forward calls
  SegmentMask mask = SegmentMask::full;
  bool summed = false;  // whether the rows are those of all `count` segments together
  int32_t first = 0;    // of a band
  int32_t last = 0;     // of a band
  int32_t count = 1;
  bool operator==(const Segment&) const = default;
};
int64_t pairs_of(const Segment& segment);  // visible (query, key) pairs

// One variable-length kernel call. Forward it writes o (with log-sum-exp) of its query rows;
// backward it reads do and adds to dq and dkv.
struct Call {
  Heads heads;  // query heads; each buffer holds them, or the KV heads that they read
  int32_t q = -1;
  int32_t kv = -1;
  int32_t d_o = -1;           // has the same rows as q; -1 in forward calls
  int32_t out = -1;           // o or dq
  int32_t dkv = -1;           // -1 in forward calls
  int32_t first_segment = 0;  // in RankProgram::segments; equal calls share segments
  int32_t segments = 0;
  bool operator==(const Call&) const = default;
};

struct Message {
  int32_t buffer = -1;
  int32_t peer = -1;  // the rank at the other end
  int32_t tag = -1;   // 2 * (index of the send in its pass) + pass, so odd for backward
  int64_t bytes = 0;
  bool operator==(const Message&) const = default;
};

// One call of a library's collective over all ranks. Buffer first_block + r is the block of rank r.
//   all_gather      copies `source` of rank r into block r of every rank
//   reduce_scatter  sums the blocks r of all ranks, element by element, into block r of rank r
struct CollectiveOp {
  CollectiveKind kind = CollectiveKind::all_gather;
  int32_t source = -1;  // may be the rank's own block; -1 in a reduce_scatter
  int32_t first_block = -1;
  int32_t blocks = 0;  // as many as ranks
  int32_t tag = -1;    // the tag that a message of its first send would have
  int64_t bytes = 0;   // of one block
  bool operator==(const CollectiveOp&) const = default;
};

enum class OpKind : uint8_t {
  rows,        // index into RankProgram::row_ops
  call,        // index into calls
  send,        // index into messages
  receive,     // index into messages; waits for the message
  sinks,       // no index: merges the attention sinks into home o
  row_sums,    // no index: log-sum-exp and row sums of dO * O, from home o into home do, and from
               // these the gradient of the attention sinks
  collective,  // index into collectives
};
inline bool exchanges_bytes(OpKind kind) {
  return kind == OpKind::send || kind == OpKind::receive || kind == OpKind::collective;
}
struct Op {
  OpKind kind = OpKind::rows;
  int32_t index = 0;
  bool operator==(const Op&) const = default;
};

struct ProgramStep {
  int32_t pass = 0;  // 0 forward, 1 backward
  int32_t step = 0;
  int32_t first_op = 0;
  int32_t ops = 0;
  bool operator==(const ProgramStep&) const = default;
};

struct RankProgram {
  Ranges home;  // the tokens of the rows of the home buffers
  std::vector<Buffer> buffers;
  int64_t arena_bytes = 0;
  int32_t q = -1, kv = -1, o = -1;      // the home buffers
  int32_t d_o = -1, dq = -1, dkv = -1;  // -1 if only the forward pass is compiled
  // Where K and V travel as latents: those of the home rows, and the sum of the gradients that came
  // back. dkv is then what the rank itself has computed.
  int32_t latents = -1, d_latents = -1;
  std::vector<ProgramStep> steps;  // only those that do something
  std::vector<Op> ops;
  std::vector<RowOp> row_ops;
  std::vector<RowRun> runs;
  std::vector<Call> calls;
  std::vector<Segment> segments;
  std::vector<Message> messages;
  std::vector<CollectiveOp> collectives;

  void clear();  // keeps the memory of the vectors
  bool operator==(const RankProgram&) const = default;
};

struct Program {
  AttentionShape shape;
  Passes passes = Passes::both;
  int64_t tokens = 0;
  std::vector<RankProgram> ranks;
};

// The first violations of the rules, one line each: "R2 rank 3: buffers 4 and 7 overlap". Empty if
// the program satisfies them.
std::vector<std::string> verify(const Program& program);

}  // namespace cpbench
