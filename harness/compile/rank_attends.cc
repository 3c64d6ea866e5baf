// The attends of one step: operands found or gathered, then as few kernel calls as the rows allow.
#include <algorithm>
#include <map>

#include "harness/compile/rank_compiler.h"
#include "harness/compile/segments.h"

namespace cpbench {
namespace {

Ranges copy_of(RangeSpan ranges) { return {ranges.begin(), ranges.end()}; }

}  // namespace

void RankCompiler::attend(std::vector<int32_t> attends) {
  const Pass& pass = pass_ == 0 ? context_.plan.forward : context_.plan.backward;
  while (!attends.empty()) {  // one group of equal heads after another
    const Heads heads = pass.attends[attends.front()].heads;
    std::vector<int32_t> same, other;
    for (int32_t i : attends) (pass.attends[i].heads == heads ? same : other).push_back(i);
    attend_heads(heads, same);
    attends = std::move(other);
  }
}

void RankCompiler::attend_heads(Heads heads, const std::vector<int32_t>& attends) {
  const Pass& pass = pass_ == 0 ? context_.plan.forward : context_.plan.backward;
  const RangeSets& sets = context_.maps.sets();
  std::vector<Work> work;  // one for each query set
  std::map<SetId, std::vector<Ranges>> keys_of;
  for (int32_t i : attends) {
    const Attend& attend = pass.attends[i];
    Ranges keys = visible_keys(context_.mask, sets[attend.q], sets[attend.kv]);
    if (keys.empty()) continue;
    std::vector<Ranges>& keys_of_q = keys_of[attend.q];
    if (keys_of_q.empty())
      work.push_back({.q = copy_of(sets[attend.q]), .kv = {}, .q_set = attend.q});
    keys_of_q.push_back(std::move(keys));
  }
  if (work.empty()) return;
  for (Work& item : work) {
    for (const Ranges& keys : keys_of[item.q_set]) {
      item.kv.insert(item.kv.end(), keys.begin(), keys.end());
    }
    item.kv = normalise(std::move(item.kv));
  }
  find_queries(heads, work);
  find_keys(heads, work);
  calls(heads, work);
}

int32_t RankCompiler::gathered(Tensor tensor, const Ranges& tokens, Heads query_heads) {
  const Heads heads = heads_of(tensor, query_heads, context_.problem.shape);
  const int32_t buffer =
      builder_.add_buffer(tensor, ElementClass::model, heads, context_.maps.sets().intern(tokens));
  copies_.gather(buffer, tokens, heads);
  return buffer;
}

void RankCompiler::find_queries(Heads heads, std::vector<Work>& work) {
  Ranges scattered;
  for (Work& item : work) {
    item.q_buffer = copies_.holder(Tensor::q, item.q_set, heads);
    if (pass_ == 1 && item.q_buffer >= 0) {  // dO must lie row by row as Q does
      item.d_o_buffer = copies_.holder(Tensor::d_o, item.q_set, heads);
      const bool alike = item.d_o_buffer >= 0 && builder_.buffer(item.d_o_buffer).tokens ==
                                                     builder_.buffer(item.q_buffer).tokens;
      if (!alike) item.q_buffer = -1;
    }
    if (item.q_buffer < 0) scattered.insert(scattered.end(), item.q.begin(), item.q.end());
  }
  if (scattered.empty()) return;
  scattered = normalise(std::move(scattered));
  const int32_t q = gathered(Tensor::q, scattered, heads);
  const int32_t d_o = pass_ == 1 ? gathered(Tensor::d_o, scattered, heads) : -1;
  for (Work& item : work) {
    if (item.q_buffer >= 0) continue;
    item.q_buffer = q;
    item.d_o_buffer = d_o;
  }
}

void RankCompiler::find_keys(Heads heads, std::vector<Work>& work) {
  const Heads kv_heads = heads_of(Tensor::kv, heads, context_.problem.shape);
  Ranges scattered;
  for (Work& item : work) {
    item.kv_buffer = copies_.holder(Tensor::kv, item.kv, kv_heads);
    if (item.kv_buffer < 0) scattered.insert(scattered.end(), item.kv.begin(), item.kv.end());
  }
  if (scattered.empty()) return;
  const int32_t kv = gathered(Tensor::kv, normalise(std::move(scattered)), heads);
  for (Work& item : work) {
    if (item.kv_buffer < 0) item.kv_buffer = kv;
  }
}

void RankCompiler::calls(Heads heads, const std::vector<Work>& work) {
  struct Group {  // of equal operands
    Call call;
    std::vector<std::vector<Segment>> levels;  // a call each: no query row twice
    size_t first_level = 0;
    Ranges queries;  // in the levels from first_level on
  };
  std::vector<Group> groups;
  for (const Work& item : work) {
    auto group = std::ranges::find_if(groups, [&](const Group& g) {
      return g.call.q == item.q_buffer && g.call.kv == item.kv_buffer;
    });
    if (group == groups.end()) {
      const Call call{
          .heads = heads, .q = item.q_buffer, .kv = item.kv_buffer, .d_o = item.d_o_buffer};
      group = groups.insert(group, {.call = call, .levels = {}, .queries = {}});
    }
    if (overlap(group->queries, item.q)) {
      group->first_level = group->levels.size();
      group->queries.clear();
    }
    group->queries = unite(group->queries, item.q);
    append_segments(context_.mask, context_.maps, item.q, builder_.buffer(item.q_buffer).tokens,
                    item.kv, builder_.buffer(item.kv_buffer).tokens, group->first_level,
                    group->levels);
  }
  for (Group& group : groups) {
    for (std::vector<Segment>& segments : group.levels) {
      if (!segments.empty()) emit(group.call, std::move(segments));
    }
  }
}

Ranges RankCompiler::touched_tokens(const std::vector<Segment>& segments, bool keys, SetId set) {
  Ranges touched;
  for (const Segment& s : segments) {
    context_.maps.tokens_of(set, keys ? s.kv_row : s.q_row, keys ? s.kv_rows : s.q_rows, touched);
  }
  return normalise(std::move(touched));
}

// False where a segment's rows are not together in `to`.
bool RankCompiler::place_rows(std::vector<Segment>& segments, bool keys, SetId from, SetId to) {
  Ranges tokens;
  for (Segment& s : segments) {
    tokens.clear();
    const int64_t rows = keys ? s.kv_rows : s.q_rows;
    context_.maps.tokens_of(from, keys ? s.kv_row : s.q_row, rows, tokens);
    const int64_t first = context_.maps.row_at(to, tokens.front().begin);
    if (context_.maps.row_at(to, tokens.back().end - 1) - first != rows - 1) return false;
    (keys ? s.dkv_row : s.out_row) = first;
  }
  return true;
}

int32_t RankCompiler::gradient_target(Tensor tensor, Heads query_heads, const Ranges& touched,
                                      std::vector<Segment>& segments, int32_t source) {
  const bool keys = tensor == Tensor::dkv;
  const Heads heads = heads_of(tensor, query_heads, context_.problem.shape);
  const SetId from = builder_.buffer(source).tokens;
  partials(tensor).reserve(touched, heads);
  const int32_t holder = partials(tensor).holder(touched, heads);
  if (holder >= 0 && place_rows(segments, keys, from, builder_.buffer(holder).tokens)) {
    partials(tensor).complete(touched, heads);
    return holder;
  }
  const SetId set = context_.maps.sets().intern(touched);
  const int32_t scratch = builder_.add_buffer(tensor, ElementClass::accumulation, heads, set);
  place_rows(segments, keys, from, set);
  builder_.clear(scratch, touched, heads);
  return scratch;
}

void RankCompiler::emit(Call call, std::vector<Segment> segments) {
  const Ranges queries = touched_tokens(segments, false, builder_.buffer(call.q).tokens);
  if (pass_ == 1) {
    const Ranges keys = touched_tokens(segments, true, builder_.buffer(call.kv).tokens);
    call.out = gradient_target(Tensor::dq, call.heads, queries, segments, call.q);
    call.dkv = gradient_target(Tensor::dkv, call.heads, keys, segments, call.kv);
    builder_.call(call, segments);
    const Heads kv_heads = heads_of(Tensor::dkv, call.heads, context_.problem.shape);
    // A target of its own is scratch: what it got goes where the partials are.
    if (partials(Tensor::dq).holder(queries, call.heads) != call.out) {
      partials(Tensor::dq).add(call.out, queries, call.heads);
    }
    if (partials(Tensor::dkv).holder(keys, kv_heads) != call.dkv) {
      partials(Tensor::dkv).add(call.dkv, keys, kv_heads);
    }
    return;
  }
  Partials& o = partials(Tensor::o);
  const SetId q_set = builder_.buffer(call.q).tokens;
  o.reserve(queries, call.heads);
  const int32_t holder = o.holder(queries, call.heads);
  const bool direct = holder >= 0 && !o.any_written(queries, call.heads) &&
                      place_rows(segments, false, q_set, builder_.buffer(holder).tokens);
  if (direct) {
    call.out = holder;
  } else {
    const SetId set = context_.maps.sets().intern(queries);
    call.out = builder_.add_buffer(Tensor::o, ElementClass::accumulation, call.heads, set);
    place_rows(segments, false, q_set, set);
  }
  builder_.call(call, segments);
  if (direct) {
    o.mark_written(queries, call.heads);
  } else {
    o.add(call.out, queries, call.heads);
  }
}

}  // namespace cpbench
