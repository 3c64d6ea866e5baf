// The order within a step: sends (they read what was on the rank before), attends, and arrivals in
// plan order.
#include "harness/compile/rank_compiler.h"

#include <algorithm>

namespace cpbench {
namespace {

// With fewer ranges in a set of queries, there is little to list.
constexpr size_t kFewestRanges = 8;

}  // namespace

std::optional<DocumentCut> CompileContext::cut_of(const Plan& plan, const MaskIndex& mask,
                                                  Detail detail) {
  if (!detail.is_outline) return std::nullopt;
  std::vector<bool> found(plan.token_sets.count());
  std::vector<SetId> sets;
  size_t ranges = 0;
  for (const Attend& attend : plan.forward.attends) {
    if (found[attend.q]) continue;
    found[attend.q] = true;
    sets.push_back(attend.q);
    ranges += plan.token_sets[attend.q].size();
  }
  if (sets.size() < 2 || ranges < kFewestRanges * sets.size()) return std::nullopt;
  return DocumentCut::of(mask, plan.token_sets, std::move(sets), plan.home);
}

std::vector<SetId> CompileContext::sent_sets(const Plan& plan) {
  std::vector<SetId> sets;
  for (const Pass* pass : {&plan.forward, &plan.backward}) {
    for (const Send& send : pass->sends) sets.push_back(send.tokens);
  }
  std::ranges::sort(sets);
  const auto repeated = std::ranges::unique(sets);
  sets.erase(repeated.begin(), repeated.end());
  return sets;
}

RankCompiler::RankCompiler(const CompileContext& context, int32_t rank, RankProgram& program)
    : context_(context),
      rank_(rank),
      builder_(context.problem.shape, context.sets, context.detail, program),
      copies_(builder_),
      latents_(builder_) {}

void RankCompiler::compile() {
  const AttentionShape& shape = context_.problem.shape;
  const SetId home = context_.plan.home[rank_];
  const auto add = [&](Tensor tensor, ElementClass elements) {
    return builder_.add_buffer(tensor, elements, heads_of(tensor, {0, shape.query_heads}, shape),
                               home);
  };
  RankProgram& program = builder_.program();
  program.clear();
  const RangeSpan tokens = builder_.sets()[home];
  program.home = {tokens.begin(), tokens.end()};
  program.q = add(Tensor::q, ElementClass::model);
  program.kv = add(Tensor::kv, ElementClass::model);
  program.o = add(Tensor::o, ElementClass::accumulation);
  copies_.add(program.q);
  copies_.add(program.kv);
  if (as_latents(Tensor::kv)) {
    program.latents = builder_.add_latents(Tensor::kv, ElementClass::model, home);
    latents_.add(program.latents);
  }
  if (context_.passes == Passes::both) {
    program.d_o = add(Tensor::d_o, ElementClass::model);
    program.dq = add(Tensor::dq, ElementClass::accumulation);
    program.dkv = add(Tensor::dkv, ElementClass::accumulation);
    copies_.add(program.d_o);
    if (as_latents(Tensor::dkv)) {
      program.d_latents = builder_.add_latents(Tensor::dkv, ElementClass::accumulation, home);
    }
  }
  pass(0);
  if (context_.passes == Passes::both) pass(1);
  builder_.finish();
}

std::vector<Heads> RankCompiler::used_heads(Tensor tensor) const {
  const Pass& pass = this->pass();
  const PassIndex& index = context_.index[pass_];
  std::vector<Heads> used;
  const auto use = [&](Heads query_heads) {
    const Heads heads = heads_of(tensor, query_heads, context_.problem.shape);
    if (std::ranges::find(used, heads) == used.end()) used.push_back(heads);
  };
  for (int32_t i : index.attends[rank_]) use(pass.attends[i].heads);
  for (const auto* sends : {&index.outgoing[rank_], &index.incoming[rank_]}) {
    for (int32_t i : *sends) {
      if (pass.sends[i].tensor == tensor) use(pass.sends[i].heads);
    }
  }
  return used;
}

Partials& RankCompiler::partials(Tensor tensor) { return partials_[tensor == Tensor::dkv ? 1 : 0]; }

void RankCompiler::pass(int32_t number) {
  pass_ = number;
  const RankProgram& program = builder_.program();
  partials_.clear();
  if (number == 0) {
    partials_.emplace_back(builder_, Tensor::o, program.o, used_heads(Tensor::o));
  } else {
    partials_.emplace_back(builder_, Tensor::dq, program.dq, used_heads(Tensor::dq));
    partials_.emplace_back(builder_, Tensor::dkv, program.dkv, used_heads(Tensor::dkv));
    if (as_latents(Tensor::dkv)) {
      partials_.emplace_back(builder_, Tensor::dkv, program.d_latents, std::vector{kLatentHeads});
    }
  }
  const Pass& pass = this->pass();
  const PassIndex& index = context_.index[number];
  first_blocks_.assign(pass.collectives.size(), -1);
  auto out = index.outgoing[rank_].begin();
  auto in = index.incoming[rank_].begin();
  auto own = index.attends[rank_].begin();
  for (int32_t step = 0; step < pass.steps; ++step) {
    builder_.begin_step(number, step, pass.lookahead);
    if (number == 1 && step == 0 && builder_.buffer(program.o).rows > 0) builder_.row_sums();
    for (; out != index.outgoing[rank_].end() && pass.sends[*out].step == step; ++out) {
      send(pass.sends[*out], *out);
    }
    const auto first = own;
    while (own != index.attends[rank_].end() && pass.attends[*own].step == step) ++own;
    attend(std::span(first, own));
    for (; in != index.incoming[rank_].end() && pass.sends[*in].step == step; ++in) {
      receive(pass.sends[*in], *in);
    }
    if (step + 1 == pass.steps) {
      clear_untouched();
      const bool sinks = number == 0 && context_.problem.shape.attention_sinks;
      if (sinks && builder_.buffer(program.o).rows > 0) builder_.sinks();
    }
    builder_.end_step();
  }
}

void RankCompiler::clear_untouched() {
  const SetId home = context_.plan.home[rank_];
  const AttentionShape& shape = context_.problem.shape;
  for (Tensor tensor : pass_ == 0 ? std::vector{Tensor::o} : std::vector{Tensor::dq, Tensor::dkv}) {
    partials(tensor).complete(home, heads_of(tensor, {0, shape.query_heads}, shape));
    if (as_latents(tensor)) d_latents().complete(home, kLatentHeads);
  }
}

int32_t RankCompiler::owner_of(const Send& send) const {
  const auto rank = static_cast<int32_t>(context_.plan.rank_sets[send.to].front().begin);
  return context_.sets.home[send.tokens] == rank ? rank : -1;
}

ElementClass RankCompiler::elements_on_wire(Tensor tensor) const {
  const bool wide = (tensor == Tensor::dq || tensor == Tensor::dkv) &&
                    context_.plan.gradient_wire == GradientWire::accumulation;
  return wide ? ElementClass::accumulation : ElementClass::model;
}

void RankCompiler::send(const Send& send, int32_t number) {
  if (in_library_collective(send)) return call_collective(send);
  const int64_t bytes = context_.index[pass_].wire_bytes[number];
  const Heads heads = heads_of(send.tensor, send.heads, context_.problem.shape);
  const RangeSpan to = context_.plan.rank_sets[send.to];
  if (bytes == 0 || (size_of(to) == 1 && to.front().begin == rank_)) return;
  int32_t buffer = -1;
  if (is_partial(send.tensor)) {
    buffer = message_buffer(send, heads, bytes);
    if (as_latents(send.tensor)) {
      // The rank's own part, through the projection, and what it only passes on.
      builder_.move(RowMode::clear, -1, buffer, send.tokens, kLatentHeads);
      partials(send.tensor).take(buffer, send.tokens, heads, owner_of(send), RowMode::accumulate);
      d_latents().take(buffer, send.tokens, kLatentHeads, owner_of(send), RowMode::accumulate);
    } else {
      partials(send.tensor).take(buffer, send.tokens, heads, owner_of(send));
    }
  } else {
    buffer = lying_as_sent(send, heads, bytes);
    if (buffer < 0) {
      // The message is packed once, however often it is sent.
      const auto [packed, fresh] = packed_.try_emplace(
          std::tuple(send.tensor, send.tokens, heads.begin, heads.end, bytes), -1);
      if (fresh) {
        packed->second = message_buffer(send, heads, bytes);
        copies_as_sent(send.tensor)
            .gather(packed->second, send.tokens, builder_.buffer(packed->second).heads);
      }
      buffer = packed->second;
    }
  }
  for_each_member(to, [&](int64_t peer) {
    if (peer == rank_) return;
    builder_.send({buffer, static_cast<int32_t>(peer), 2 * number + pass_, bytes});
  });
}

int32_t RankCompiler::message_buffer(const Send& send, Heads heads, int64_t bytes) {
  const ElementClass elements = elements_on_wire(send.tensor);
  return as_latents(send.tensor)
             ? builder_.add_latents(send.tensor, elements, send.tokens, bytes)
             : builder_.add_buffer(send.tensor, elements, heads, send.tokens, bytes);
}

int32_t RankCompiler::lying_as_sent(const Send& send, Heads heads, int64_t bytes) {
  if (as_latents(send.tensor)) heads = kLatentHeads;
  const int32_t buffer = copies_as_sent(send.tensor).holder(send.tensor, send.tokens, heads);
  const bool as_sent = buffer >= 0 && builder_.tokens_of(buffer) == send.tokens &&
                       builder_.buffer(buffer).heads == heads &&
                       builder_.buffer(buffer).bytes == bytes;
  return as_sent ? buffer : -1;
}

void RankCompiler::receive(const Send& send, int32_t number) {
  if (in_library_collective(send)) return take_from_collective(send);
  const int64_t bytes = context_.index[pass_].wire_bytes[number];
  const Heads heads = heads_of(send.tensor, send.heads, context_.problem.shape);
  if (bytes == 0) return;
  for_each_member(context_.plan.rank_sets[send.from], [&](int64_t peer) {
    if (peer == rank_) return;
    const int32_t buffer = message_buffer(send, heads, bytes);
    builder_.receive({buffer, static_cast<int32_t>(peer), 2 * number + pass_, bytes});
    if (as_latents(send.tensor)) {
      receive_latents(send, heads, buffer);
    } else if (is_partial(send.tensor)) {
      partials(send.tensor).reserve(send.tokens, heads);
      partials(send.tensor).add(buffer, send.tokens, heads);
    } else {
      copies_.add(buffer);
    }
  });
}

// Latents stay for those that they are passed on to, next to the K and V that are made of them.
void RankCompiler::receive_latents(const Send& send, Heads heads, int32_t buffer) {
  if (is_partial(send.tensor)) {
    d_latents().reserve(send.tokens, kLatentHeads);
    d_latents().add(buffer, send.tokens, kLatentHeads);
    return;
  }
  latents_.add(buffer);
  const int32_t kv = builder_.add_buffer(Tensor::kv, ElementClass::model, heads, send.tokens);
  builder_.move(RowMode::store, buffer, kv, send.tokens, heads);
  copies_.add(kv);
}

}  // namespace cpbench
