// The attends of one step: operands found or gathered, then as few kernel calls as the rows allow.
#include <algorithm>
#include <map>

#include "harness/compile/rank_compiler.h"

namespace cpbench {
namespace {

void append(Ranges& out, RangeSpan ranges) { out.insert(out.end(), ranges.begin(), ranges.end()); }

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
  RankSets& sets = builder_.sets();
  std::vector<Work> work;                // one for each query set
  std::map<SetId, size_t> work_of;       // by query set
  std::vector<std::vector<SetId>> keys;  // of each work
  for (int32_t i : attends) {
    const Attend& attend = pass.attends[i];
    const SetId visible =
        sets.intern(visible_keys(context_.mask, sets[attend.q], sets[attend.kv]), attend.kv);
    if (visible == RangeSets::kEmpty) continue;
    const auto [found, fresh] = work_of.try_emplace(attend.q, work.size());
    if (fresh) {
      work.push_back({.q = attend.q});
      keys.emplace_back();
    }
    keys[found->second].push_back(visible);
  }
  if (work.empty()) return;
  for (size_t i = 0; i < work.size(); ++i) {
    work[i].kv = keys[i].front();
    if (keys[i].size() == 1) continue;
    Ranges all;
    for (SetId some : keys[i]) append(all, sets[some]);
    work[i].kv = sets.intern(normalise(std::move(all)));
  }
  find_queries(heads, work);
  find_keys(heads, work);
  calls(heads, work);
}

int32_t RankCompiler::gathered(Tensor tensor, Ranges tokens, Heads query_heads) {
  const Heads heads = heads_of(tensor, query_heads, context_.problem.shape);
  const SetId set = builder_.sets().intern(normalise(std::move(tokens)));
  const int32_t buffer = builder_.add_buffer(tensor, ElementClass::model, heads, set);
  copies_.gather(buffer, set, heads);
  return buffer;
}

void RankCompiler::find_queries(Heads heads, std::vector<Work>& work) {
  Ranges scattered;
  for (Work& item : work) {
    item.q_buffer = copies_.holder(Tensor::q, item.q, heads);
    if (pass_ == 1 && item.q_buffer >= 0) {  // dO must lie row by row as Q does
      item.d_o_buffer = copies_.holder(Tensor::d_o, item.q, heads);
      const bool alike = item.d_o_buffer >= 0 &&
                         builder_.tokens_of(item.d_o_buffer) == builder_.tokens_of(item.q_buffer);
      if (!alike) item.q_buffer = -1;
    }
    if (item.q_buffer < 0) append(scattered, builder_.sets()[item.q]);
  }
  if (scattered.empty()) return;
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
    if (item.kv_buffer < 0) append(scattered, builder_.sets()[item.kv]);
  }
  if (scattered.empty()) return;
  const int32_t kv = gathered(Tensor::kv, std::move(scattered), heads);
  for (Work& item : work) {
    if (item.kv_buffer < 0) item.kv_buffer = kv;
  }
}

void RankCompiler::calls(Heads heads, const std::vector<Work>& work) {
  struct Group {  // of equal operands
    Call call;
    std::vector<CallSegments> levels;  // a call each: no query row twice
    size_t first_level = 0;
    Ranges queries;  // in the levels from first_level on
  };
  RankSets& sets = builder_.sets();
  std::vector<Group> groups;
  std::map<std::pair<int32_t, int32_t>, size_t> group_of;  // by q and kv buffer
  for (const Work& item : work) {
    const auto [found, fresh] =
        group_of.try_emplace({item.q_buffer, item.kv_buffer}, groups.size());
    if (fresh) {
      const Call call{
          .heads = heads, .q = item.q_buffer, .kv = item.kv_buffer, .d_o = item.d_o_buffer};
      groups.push_back({.call = call, .levels = {}, .queries = {}});
    }
    Group& group = groups[found->second];
    if (overlap(group.queries, sets[item.q])) {
      group.first_level = group.levels.size();
      group.queries.clear();
    }
    group.queries = unite(group.queries, sets[item.q]);
    append_segments(context_.mask, sets, sets[item.q], builder_.tokens_of(item.q_buffer),
                    sets[item.kv], builder_.tokens_of(item.kv_buffer), group.first_level,
                    group.levels);
  }
  for (Group& group : groups) {
    for (CallSegments& call_segments : group.levels) {
      if (!call_segments.segments.empty()) emit(group.call, call_segments);
    }
  }
}

// False, and nothing placed, where a segment's rows are not together in `to`.
bool RankCompiler::place_rows(std::vector<Segment>& segments, bool keys, SetId from, SetId to) {
  if (from == to) return true;
  RowCursor first_from = builder_.sets().rows(from), last_from = first_from;
  RowCursor first_to = builder_.sets().rows(to), last_to = first_to;
  for (Segment& s : segments) {
    const int32_t row = keys ? s.kv_row : s.q_row;
    const int32_t rows = keys ? s.kv_rows : s.q_rows;
    const int32_t first = first_to.row_at(first_from.token_at(row));
    const int32_t last = last_to.row_at(last_from.token_at(row + rows - 1));
    if (last - first != rows - 1) {
      for (Segment& undo : segments) {
        (keys ? undo.dkv_row : undo.out_row) = keys ? undo.kv_row : undo.q_row;
      }
      return false;
    }
    (keys ? s.dkv_row : s.out_row) = first;
  }
  return true;
}

int32_t RankCompiler::gradient_target(Tensor tensor, Heads query_heads, SetId touched,
                                      std::vector<Segment>& segments, int32_t source) {
  const bool keys = tensor == Tensor::dkv;
  const Heads heads = heads_of(tensor, query_heads, context_.problem.shape);
  const SetId from = builder_.tokens_of(source);
  partials(tensor).reserve(touched, heads);
  const int32_t holder = partials(tensor).holder(touched, heads);
  if (holder >= 0 && place_rows(segments, keys, from, builder_.tokens_of(holder))) {
    partials(tensor).complete(touched, heads);
    return holder;
  }
  const int32_t scratch = builder_.add_buffer(tensor, ElementClass::accumulation, heads, touched);
  place_rows(segments, keys, from, touched);
  builder_.clear(scratch, builder_.sets()[touched], heads);
  return scratch;
}

void RankCompiler::emit(Call call, CallSegments& call_segments) {
  RankSets& sets = builder_.sets();
  std::vector<Segment>& segments = call_segments.segments;
  const SetId q_set = builder_.tokens_of(call.q);
  const SetId queries = sets.intern(normalise(std::move(call_segments.queries)), q_set);
  if (pass_ == 1) {
    const SetId kv_set = builder_.tokens_of(call.kv);
    const SetId keys =
        sets.intern(intersect(normalise(std::move(call_segments.keys)), sets[kv_set]), kv_set);
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
  o.reserve(queries, call.heads);
  const int32_t holder = o.holder(queries, call.heads);
  const bool direct = holder >= 0 && !o.any_written(queries, call.heads) &&
                      place_rows(segments, false, q_set, builder_.tokens_of(holder));
  if (direct) {
    call.out = holder;
  } else {
    call.out = builder_.add_buffer(Tensor::o, ElementClass::accumulation, call.heads, queries);
    place_rows(segments, false, q_set, queries);
  }
  builder_.call(call, segments);
  if (direct) {
    o.mark_written(queries, call.heads);
  } else {
    o.add(call.out, queries, call.heads);
  }
}

}  // namespace cpbench
