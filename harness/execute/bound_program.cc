#include "harness/execute/bound_program.h"

#include "harness/plan/plan_bytes.h"

namespace cpbench {

BoundProgram::BoundProgram(const RankProgram& program, const AttentionShape& shape,
                           std::byte* arena) {
  for (const Buffer& buffer : program.buffers) {
    buffers.push_back(bound_at(buffer, shape, arena + buffer.offset));
  }
  for (const Call& call : program.calls) {
    const std::span segments(program.segments.data() + call.first_segment, call.segments);
    const Heads kv_heads = kv_heads_of(call.heads, shape);
    const auto part = [&](int32_t buffer, int32_t index, Heads heads) {
      return matrix_of(buffers[buffer], index, heads);
    };
    const Matrix q = part(call.q, 0, call.heads);
    const Matrix k = part(call.kv, 0, kv_heads);
    const Matrix v = part(call.kv, 1, kv_heads);
    if (call.d_o < 0) {
      forward.push_back({shape, call.heads, segments, q, k, v, part(call.out, 1, call.heads),
                         part(call.out, 0, call.heads)});
    } else {
      backward.push_back({shape, call.heads, segments, q, k, v, part(call.d_o, 2, call.heads),
                          part(call.d_o, 0, call.heads), part(call.d_o, 1, call.heads),
                          part(call.out, 0, call.heads), part(call.dkv, 0, kv_heads),
                          part(call.dkv, 1, kv_heads)});
    }
  }
}

Activity activity_of(const RankProgram& program, const Op& op) {
  if (op.kind == OpKind::call) return Activity::attention;
  const bool merges = op.kind == OpKind::sinks || op.kind == OpKind::row_sums ||
                      program.row_ops[op.index].mode == RowMode::accumulate;
  return merges ? Activity::merge : Activity::copy;
}

}  // namespace cpbench
