// Writes the operations of one rank in order, and with them the life of every buffer. An exchange
// may run next to the calls of its step and begin `lookahead` steps before it. So what it writes is
// alive from there on, and what it sends is alive until the end of its step.
//
//   int32_t scratch = b.add_buffer(Tensor::kv, ElementClass::model, heads, tokens);
//   b.move(RowMode::store, home, scratch, ranges, heads);   // one row operation of many runs
//   b.finish();                                             // places the buffers in the arena
#pragma once

#include <span>

#include "harness/compile/compile.h"
#include "harness/compile/program.h"
#include "harness/compile/rank_sets.h"
#include "harness/plan/plan_bytes.h"

namespace cpbench {

inline constexpr Heads kLatentHeads = {0, 1};  // those of a buffer of latents

class RankBuilder {
 public:
  RankBuilder(const AttentionShape& shape, const PlanSets& plan_sets, Detail detail,
              RankProgram& program)
      : shape_(shape), sets_(plan_sets), detail_(detail), program_(program) {}

  // The buffer gets at least `bytes` bytes (for the padding of a message).
  int32_t add_buffer(Tensor tensor, ElementClass elements, Heads heads, SetId tokens,
                     int64_t bytes = 0, bool latent = false);
  // A buffer of latents (kv) or their gradients (dkv).
  int32_t add_latents(Tensor tensor, ElementClass elements, SetId tokens, int64_t bytes = 0) {
    return add_buffer(tensor, elements, kLatentHeads, tokens, bytes, true);
  }
  const Buffer& buffer(int32_t index) const { return program_.buffers[index]; }
  SetId tokens_of(int32_t buffer) const { return tokens_[buffer]; }

  void move(RowMode mode, int32_t source, int32_t target, RangeSpan tokens, Heads heads);
  // Moves those of `tokens` that the source (or without a source, the target) holds.
  void move(RowMode mode, int32_t source, int32_t target, SetId tokens, Heads heads);
  // Moves `rows` rows: those of the tokens that tokens() returns. An outline does not call it.
  template <typename Tokens>
  void move_rows(RowMode mode, int32_t source, int32_t target, int64_t rows, Heads heads,
                 const Tokens& tokens) {
    if (rows == 0) return;
    const auto first = static_cast<int32_t>(program_.runs.size());
    if (!detail_.is_outline) add_runs(source, target, tokens());
    add_row_op({mode, source, target, heads, static_cast<int32_t>(rows), first});
  }
  // The segments of the call must be in RankProgram::segments already.
  void call(const Call& call);
  void send(const Message& message) { this->message(OpKind::send, message); }
  void receive(const Message& message) { this->message(OpKind::receive, message); }
  void collective(const CollectiveOp& op);
  void sinks();
  void row_sums();

  void begin_step(int32_t pass, int32_t step, int32_t lookahead);
  void end_step();
  void finish();

  RankSets& sets() { return sets_; }
  RankProgram& program() { return program_; }
  const AttentionShape& shape() const { return shape_; }

 private:
  void add_op(OpKind kind, size_t index);
  void add_row_op(RowOp op);  // takes all runs from op.first_run on
  void add_runs(int32_t source, int32_t target, RangeSpan tokens);
  void touch(int32_t buffer);
  void message(OpKind kind, const Message& message);
  void exchanged(int32_t buffer, bool until_end_of_step);
  int32_t first_op_of(int32_t pass, int32_t step) const;
  // A result into which no other partial result is merged stays in the dtype in which kernels write
  // O.
  void narrow_outputs();

  const AttentionShape& shape_;
  RankSets sets_;
  Detail detail_;
  RankProgram& program_;
  std::vector<SetId> tokens_;  // of each buffer
  int32_t earliest_op_ = 0;    // where the exchanges of this step may begin
  std::vector<int32_t> sent_;  // buffers that exchanges of this step may touch until its end
};

}  // namespace cpbench
