// The life of a buffer is counted in operations, from the first that touches it to the last.
#include "harness/compile/rank_builder.h"

#include <algorithm>

#include "harness/compile/arena.h"

namespace cpbench {

int32_t RankBuilder::add_buffer(Tensor tensor, ElementClass elements, Heads heads, SetId tokens,
                                int64_t bytes, bool latent) {
  Buffer buffer{.tensor = tensor,
                .elements = elements,
                .latent = latent,
                .heads = heads,
                .rows = sets_.size_of(tokens),
                .first_op = -1,
                .last_op = -1};
  buffer.bytes = std::max(bytes, parts_of(buffer, shape_).bytes);
  program_.buffers.push_back(buffer);
  tokens_.push_back(tokens);
  return static_cast<int32_t>(program_.buffers.size()) - 1;
}

void RankBuilder::touch(int32_t index) {
  if (index < 0) return;
  Buffer& buffer = program_.buffers[index];
  const auto now = static_cast<int32_t>(program_.ops.size()) - 1;
  if (buffer.first_op < 0) buffer.first_op = now;
  buffer.last_op = now;
}

void RankBuilder::add_op(OpKind kind, size_t index) {
  program_.ops.push_back({kind, static_cast<int32_t>(index)});
}

void RankBuilder::move(RowMode mode, int32_t source, int32_t target, RangeSpan tokens,
                       Heads heads) {
  move_rows(mode, source, target, size_of(tokens), heads, [tokens] { return tokens; });
}

void RankBuilder::move(RowMode mode, int32_t source, int32_t target, SetId tokens, Heads heads) {
  const SetId held = tokens_of(source < 0 ? target : source);
  const int64_t rows = sets_.size_of_intersection(held, tokens);
  if (rows == sets_.size_of(tokens)) {
    move_rows(mode, source, target, rows, heads, [&] { return sets_[tokens]; });
  } else {
    move_rows(mode, source, target, rows, heads,
              [&] { return intersect(sets_[held], sets_[tokens]); });
  }
}

void RankBuilder::add_row_op(RowOp op) {
  op.runs = static_cast<int32_t>(program_.runs.size()) - op.first_run;
  add_op(OpKind::rows, program_.row_ops.size());
  program_.row_ops.push_back(op);
  touch(op.source);
  touch(op.target);
}

void RankBuilder::add_runs(int32_t source, int32_t target, RangeSpan tokens) {
  std::vector<RowRun>& runs = program_.runs;
  const size_t first = runs.size();
  const SetId held = tokens_of(source < 0 ? target : source);
  // Tokens that are all of both buffers have the same rows in both.
  if (held == tokens_of(target) && size_of(tokens) == sets_.size_of(held)) {
    runs.push_back({0, 0, static_cast<int32_t>(sets_.size_of(held))});
    return;
  }
  RowCursor from = sets_.rows(held);
  RowCursor to = sets_.rows(tokens_of(target));
  for (const Range& range : tokens) {
    const int32_t source_row = source < 0 ? 0 : from.row_at(range.begin);
    const int32_t target_row = to.row_at(range.begin);
    const auto rows = static_cast<int32_t>(range.size());
    if (runs.size() > first && target_row == runs.back().target_row + runs.back().rows &&
        (source < 0 || source_row == runs.back().source_row + runs.back().rows)) {
      runs.back().rows += rows;
    } else {
      runs.push_back({source_row, target_row, rows});
    }
  }
}

void RankBuilder::call(const Call& call) {
  add_op(OpKind::call, program_.calls.size());
  program_.calls.push_back(call);
  for (int32_t buffer : {call.q, call.kv, call.d_o, call.out, call.dkv}) touch(buffer);
}

void RankBuilder::message(OpKind kind, const Message& message) {
  add_op(kind, program_.messages.size());
  program_.messages.push_back(message);
  exchanged(message.buffer, kind == OpKind::send);
}

void RankBuilder::collective(const CollectiveOp& op) {
  add_op(OpKind::collective, program_.collectives.size());
  program_.collectives.push_back(op);
  if (op.source >= 0) exchanged(op.source, true);
  for (int32_t r = 0; r < op.blocks; ++r) exchanged(op.first_block + r, true);
}

void RankBuilder::exchanged(int32_t index, bool until_end_of_step) {
  touch(index);
  Buffer& buffer = program_.buffers[index];
  // A buffer that is older than the step existed before it.
  if (buffer.first_op >= program_.steps.back().first_op) {
    buffer.first_op = std::min(buffer.first_op, earliest_op_);
  }
  if (until_end_of_step) sent_.push_back(index);
}

void RankBuilder::sinks() {
  add_op(OpKind::sinks, 0);
  touch(program_.o);
}

void RankBuilder::row_sums() {
  add_op(OpKind::row_sums, 0);
  touch(program_.o);
  touch(program_.d_o);
}

// The first operation of the first step, from this one on, that does something.
int32_t RankBuilder::first_op_of(int32_t pass, int32_t step) const {
  return std::ranges::lower_bound(program_.steps, std::pair(pass, step), {},
                                  [](const ProgramStep& s) { return std::pair(s.pass, s.step); })
      ->first_op;
}

void RankBuilder::begin_step(int32_t pass, int32_t step, int32_t lookahead) {
  program_.steps.push_back({pass, step, static_cast<int32_t>(program_.ops.size()), 0});
  earliest_op_ = first_op_of(pass, step - lookahead);
  sent_.clear();
}

void RankBuilder::end_step() {
  ProgramStep& step = program_.steps.back();
  step.ops = static_cast<int32_t>(program_.ops.size()) - step.first_op;
  const auto last = static_cast<int32_t>(program_.ops.size()) - 1;
  for (int32_t buffer : sent_) program_.buffers[buffer].last_op = last;
  if (step.ops == 0) program_.steps.pop_back();
}

void RankBuilder::finish() {
  const auto end = static_cast<int32_t>(program_.ops.size());
  for (int32_t input : {program_.q, program_.kv, program_.latents, program_.d_o}) {
    if (input >= 0) program_.buffers[input].first_op = 0;
  }
  for (int32_t home : {program_.q, program_.kv, program_.latents, program_.o, program_.d_o,
                       program_.dq, program_.dkv, program_.d_latents}) {
    if (home < 0) continue;
    Buffer& buffer = program_.buffers[home];
    buffer.first_op = std::max(buffer.first_op, 0);
    buffer.last_op = end;
  }
  narrow_outputs();
  program_.arena_bytes = place(program_.buffers, program_.collectives);
}

void RankBuilder::narrow_outputs() {
  std::vector<bool> summed(program_.buffers.size());
  for (const RowOp& op : program_.row_ops) {
    if (op.mode == RowMode::accumulate) summed[op.target] = true;
  }
  if (shape_.attention_sinks) summed[program_.o] = true;
  for (size_t i = 0; i < program_.buffers.size(); ++i) {
    Buffer& buffer = program_.buffers[i];
    if (buffer.tensor != Tensor::o || summed[i] || buffer.elements == ElementClass::model) continue;
    buffer.elements = ElementClass::model;
    buffer.bytes = parts_of(buffer, shape_).bytes;
  }
}

}  // namespace cpbench
