// Collectives that a library runs in one call (compile.h): what a rank puts into its blocks, and
// what it takes out of them.
#include "harness/compile/rank_compiler.h"

namespace cpbench {

bool RankCompiler::in_library_collective(const Send& send) const {
  return send.collective >= 0 && !context_.index[pass_].blocks[send.collective].empty();
}

void RankCompiler::call_collective(const Send& send) {
  int32_t& first_block = first_blocks_[send.collective];
  if (first_block >= 0) return;
  const PassIndex& index = context_.index[pass_];
  const std::vector<int32_t>& numbers = index.blocks[send.collective];
  const Heads heads = heads_of(send.tensor, send.heads, context_.problem.shape);
  CollectiveOp op{.kind = pass().collectives[send.collective].kind,
                  .blocks = context_.plan.ranks,
                  .tag = 2 * numbers.front() + pass_,
                  .bytes = index.wire_bytes[numbers.front()]};
  const auto tokens_of_block = [&](int32_t r) { return pass().sends[numbers[r]].tokens; };
  for (int32_t r = 0; r < op.blocks; ++r) {
    const int32_t block = builder_.add_buffer(send.tensor, elements_on_wire(send.tensor), heads,
                                              tokens_of_block(r), op.bytes);
    if (r == 0) op.first_block = block;
  }
  first_block = op.first_block;
  if (op.kind == CollectiveKind::all_gather) {
    const Send& own = pass().sends[numbers[rank_]];
    op.source = lying_as_sent(own, heads, op.bytes);
    if (op.source < 0) {
      op.source = first_block + rank_;
      copies_.gather(op.source, own.tokens, heads);
    }
  } else {
    // This rank's own part stays where it is, in full precision.
    for (int32_t r = 0; r < op.blocks; ++r) {
      if (r == rank_) {
        builder_.move(RowMode::clear, -1, first_block + r, tokens_of_block(r), heads);
      } else {
        partials(send.tensor)
            .take(first_block + r, tokens_of_block(r), heads, owner_of(pass().sends[numbers[r]]));
      }
    }
  }
  builder_.collective(op);
}

void RankCompiler::take_from_collective(const Send& send) {
  const Heads heads = heads_of(send.tensor, send.heads, context_.problem.shape);
  const int32_t first_block = first_blocks_[send.collective];
  if (is_partial(send.tensor)) {
    partials(send.tensor).reserve(send.tokens, heads);
    partials(send.tensor).add(first_block + rank_, send.tokens, heads);
    return;
  }
  const auto from = static_cast<int32_t>(context_.plan.rank_sets[send.from].front().begin);
  if (from != rank_) copies_.add(first_block + from);
}

}  // namespace cpbench
