// Compiles the attends of one step: finds or gathers their operands, then makes as few kernel calls
// as the rows allow.
#include <algorithm>
#include <map>
#include <utility>

#include "harness/compile/rank_compiler.h"

namespace cpbench {

void RankCompiler::attend(std::span<const int32_t> attends) {
  const Pass& pass = this->pass();
  std::vector<int32_t> rest;
  while (!attends.empty()) {  // one group with equal heads after another
    const Heads heads = pass.attends[attends.front()].heads;
    const auto is_other = [&](int32_t i) { return pass.attends[i].heads != heads; };
    if (std::ranges::none_of(attends, is_other)) return attend_heads(heads, attends);
    std::vector<int32_t> same, other;
    for (int32_t i : attends) (is_other(i) ? other : same).push_back(i);
    attend_heads(heads, same);
    attends = rest = std::move(other);
  }
}

void RankCompiler::attend_heads(Heads heads, std::span<const int32_t> attends) {
  const Pass& pass = this->pass();
  std::vector<Work> work;                // one for each query set
  std::map<SetId, size_t> work_of;       // by query set
  std::vector<std::vector<SetId>> keys;  // by work
  for (int32_t i : attends) {
    const Attend& attend = pass.attends[i];
    const Sight& sight = sight_of(attend.q, attend.kv);
    if (sight.keys == RangeSets::kEmpty) continue;
    const auto [found, fresh] = work_of.try_emplace(attend.q, work.size());
    if (fresh) {
      work.push_back({.q = attend.q, .sight = &sight});
      keys.emplace_back();
    }
    keys[found->second].push_back(sight.keys);
  }
  if (work.empty()) return;
  for (size_t i = 0; i < work.size(); ++i) {
    work[i].kv = united(keys[i]);
    if (keys[i].size() > 1) work[i].sight = nullptr;
  }
  find_queries(heads, work);
  find_keys(heads, work);
  calls(heads, work);
}

const RankCompiler::Sight& RankCompiler::sight_of(SetId q, SetId kv) {
  const auto [found, fresh] = sights_.try_emplace({q, kv});
  Sight& sight = found->second;
  if (!fresh || count(q, kv, sight)) return sight;
  RankSets& sets = builder_.sets();
  if (std::exchange(seeing_, q) != q) seen_ = context_.mask.keys_seen(sets[q]);
  sight.keys = sets.intern_part(intersect(seen_, sets[kv]), kv);
  const std::optional<DocumentCut>& cut = context_.sets.cut;
  if (cut && sets.size_of(kv) == context_.plan.tokens) {
    sets.set_seen(sight.keys, {.queries = cut->member(q)});
  }
  return sight;
}

bool RankCompiler::count(SetId q, SetId kv, Sight& sight) {
  const std::optional<DocumentCut>& cut = context_.sets.cut;
  if (!cut) return false;
  const int32_t queries = cut->member(q), keys = cut->member(kv);
  if (queries < 0 || keys < 0 || !cut->describes(queries, keys)) return false;
  std::vector<Segment>& all = builder_.program().segments;
  sight.first_segment = static_cast<int32_t>(all.size());
  const bool causal = cut->causal(queries, keys);
  const auto add = [&](int64_t q_rows, int64_t kv_rows, int64_t documents) -> Segment& {
    all.push_back({.q_rows = static_cast<int32_t>(q_rows),
                   .kv_rows = static_cast<int32_t>(kv_rows),
                   .mask = causal && q_rows > 1 ? SegmentMask::causal : SegmentMask::full,
                   .count = static_cast<int32_t>(documents)});
    return all.back();
  };
  int64_t seeing = 0, seen = 0;
  const DocumentCut::Total few =
      cut->for_each_block(queries, keys, causal ? 0 : context_.detail.few_rows,
                          [&](int32_t q_rows, int32_t kv_rows, int64_t documents) {
                            add(q_rows, kv_rows, documents);
                            seeing += q_rows * documents;
                            seen += kv_rows * documents;
                          });
  if (few.documents > 0) add(few.queries, few.keys, few.documents).summed = true;
  seeing += few.queries;
  seen += few.keys;
  sight.counted = true;
  sight.segments = static_cast<int32_t>(all.size()) - sight.first_segment;
  sight.all_keys = kv;
  RankSets& sets = builder_.sets();
  sight.keys = sets.describe_part(
      seen, kv, [=, this, &sets] { return intersect(context_.mask.keys_seen(sets[q]), sets[kv]); },
      {queries, keys, false});
  sight.queries = sets.describe_part(
      seeing, q, [=, this, &sets] { return rows_of(listed(q, q, kv, kv).front(), false, sets, q); },
      {queries, keys, true});
  return true;
}

std::vector<CallSegments> RankCompiler::listed(SetId q, SetId q_set, SetId kv, SetId kv_set) {
  RankSets& sets = builder_.sets();
  std::vector<CallSegments> levels;
  append_segments(context_.mask, sets, sets[q], q_set, sets[kv], kv_set, 0, levels);
  return levels;
}

SetId RankCompiler::united(const std::vector<SetId>& list) {
  if (list.size() == 1) return list.front();
  RankSets& sets = builder_.sets();
  Ranges all;
  for (SetId set : list) all.insert(all.end(), sets[set].begin(), sets[set].end());
  return sets.intern(normalise(std::move(all)));
}

int32_t RankCompiler::gathered(Tensor tensor, SetId tokens, Heads query_heads) {
  const Heads heads = heads_of(tensor, query_heads, context_.problem.shape);
  const int32_t buffer = builder_.add_buffer(tensor, ElementClass::model, heads, tokens);
  copies_.gather(buffer, tokens, heads);
  return buffer;
}

void RankCompiler::find_queries(Heads heads, std::vector<Work>& work) {
  std::vector<SetId> scattered;
  for (Work& item : work) {
    item.q_buffer = copies_.holder(Tensor::q, item.q, heads);
    if (pass_ == 1 && item.q_buffer >= 0) {  // dO must have the same rows as Q
      item.d_o_buffer = copies_.holder(Tensor::d_o, item.q, heads);
      const bool same_rows = item.d_o_buffer >= 0 && builder_.tokens_of(item.d_o_buffer) ==
                                                         builder_.tokens_of(item.q_buffer);
      if (!same_rows) item.q_buffer = -1;
    }
    if (item.q_buffer < 0) scattered.push_back(item.q);
  }
  if (scattered.empty()) return;
  const SetId all = united(scattered);
  const int32_t q = gathered(Tensor::q, all, heads);
  const int32_t d_o = pass_ == 1 ? gathered(Tensor::d_o, all, heads) : -1;
  // The same queries attend in many steps; later steps find them in these buffers.
  copies_.add(q);
  if (d_o >= 0) copies_.add(d_o);
  for (Work& item : work) {
    if (item.q_buffer >= 0) continue;
    item.q_buffer = q;
    item.d_o_buffer = d_o;
  }
}

void RankCompiler::find_keys(Heads heads, std::vector<Work>& work) {
  const Heads kv_heads = heads_of(Tensor::kv, heads, context_.problem.shape);
  std::vector<SetId> scattered;
  for (Work& item : work) {
    item.kv_buffer = copies_.holder(Tensor::kv, item.kv, kv_heads);
    if (item.kv_buffer < 0) scattered.push_back(item.kv);
  }
  if (scattered.empty()) return;
  const int32_t kv = gathered(Tensor::kv, united(scattered), heads);
  for (Work& item : work) {
    if (item.kv_buffer < 0) item.kv_buffer = kv;
  }
}

void RankCompiler::calls(Heads heads, const std::vector<Work>& work) {
  struct Group {  // of work with equal operands
    Call call;
    std::vector<const Work*> items;
  };
  std::vector<Group> groups;
  std::map<std::pair<int32_t, int32_t>, size_t> group_of;  // by q and kv buffer
  for (const Work& item : work) {
    const auto [found, fresh] =
        group_of.try_emplace({item.q_buffer, item.kv_buffer}, groups.size());
    if (fresh) {
      groups.push_back(
          {{.heads = heads, .q = item.q_buffer, .kv = item.kv_buffer, .d_o = item.d_o_buffer}, {}});
    }
    groups[found->second].items.push_back(&item);
  }
  for (const Group& group : groups) {
    std::vector<SetId> key = {builder_.tokens_of(group.call.q), builder_.tokens_of(group.call.kv)};
    for (const Work* item : group.items) key.insert(key.end(), {item->q, item->kv});
    const auto [shapes, fresh] = shapes_.try_emplace(std::move(key));
    if (fresh) shapes->second = shapes_of(group.call, group.items);
    for (CallShape& shape : shapes->second) {
      pass_ == 0 ? emit(group.call, shape) : emit_backward(group.call, shape);
    }
  }
}

// Appends the segments to the program.
std::vector<RankCompiler::CallShape> RankCompiler::shapes_of(
    const Call& call, const std::vector<const Work*>& items) {
  RankSets& sets = builder_.sets();
  const SetId q_set = builder_.tokens_of(call.q);
  const SetId kv_set = builder_.tokens_of(call.kv);
  if (const Sight* sight = items.front()->sight; items.size() == 1 && sight && sight->counted) {
    // Queries and keys of a document lie together only where nothing else lies between them.
    if (q_set == items.front()->q && (kv_set == sight->all_keys || kv_set == sight->keys)) {
      return {{.first_segment = sight->first_segment,
               .segments = sight->segments,
               .queries = sight->queries,
               .keys = sight->keys,
               .out = q_set,
               .dkv = kv_set,
               .counted = true}};
    }
  }
  std::vector<CallSegments> levels;  // each is one call, so no query row is in it twice
  size_t first_level = 0;
  Ranges queries;  // of the levels from first_level on
  for (const Work* item : items) {
    if (overlap(queries, sets[item->q])) {
      first_level = levels.size();
      queries.clear();
    }
    if (items.size() > 1) queries = unite(queries, sets[item->q]);
    append_segments(context_.mask, sets, sets[item->q], q_set, sets[item->kv], kv_set, first_level,
                    levels);
  }
  std::vector<CallShape> shapes;
  std::vector<Segment>& all = builder_.program().segments;
  const bool keys_known = items.size() == 1 && levels.size() == 1;  // all visible keys
  for (const CallSegments& level : levels) {
    if (level.empty()) continue;
    CallShape shape{.first_segment = static_cast<int32_t>(all.size()),
                    .segments = static_cast<int32_t>(level.size()),
                    .queries = queries_of(level, sets, q_set),
                    .out = q_set,
                    .dkv = kv_set};
    if (context_.passes == Passes::both) {
      shape.keys = keys_known ? items.front()->kv : keys_of(level, sets, kv_set);
    }
    all.insert(all.end(), level.begin(), level.end());
    shapes.push_back(shape);
  }
  return shapes;
}

bool RankCompiler::together(const CallShape& shape, bool keys, SetId from, SetId to) {
  // If `to` is a part of `from`, it has no token between two neighbouring rows of `from`.
  if (builder_.sets().contains(from, to)) return true;
  RowCursor first_from = builder_.sets().rows(from), last_from = first_from;
  RowCursor first_to = builder_.sets().rows(to), last_to = first_to;
  std::vector<CallSegments> list;
  std::span<const Segment> segments(builder_.program().segments.data() + shape.first_segment,
                                    shape.segments);
  if (shape.counted) {
    list = listed(shape.queries, shape.out, shape.keys, shape.dkv);
    segments = list.front();
  }
  for (const Segment& segment : segments) {
    const int32_t row = keys ? segment.kv_row : segment.q_row;
    const int32_t rows = keys ? segment.kv_rows : segment.q_rows;
    const int32_t first = first_to.row_at(first_from.token_at(row));
    const int32_t last = last_to.row_at(last_from.token_at(row + rows - 1));
    if (last - first != rows - 1) return false;
  }
  return true;
}

void RankCompiler::place(std::span<Segment> segments, bool keys, SetId from, SetId to) {
  RowCursor rows_from = builder_.sets().rows(from);
  RowCursor rows_to = builder_.sets().rows(to);
  for (Segment& s : segments) {
    const int32_t row = keys ? s.kv_row : s.q_row;
    (keys ? s.dkv_row : s.out_row) = from == to ? row : rows_to.row_at(rows_from.token_at(row));
  }
}

// Segments that another call uses must not change. If this call needs other rows, it gets copies.
void RankCompiler::add_call(Call call, CallShape& shape) {
  const SetId out = builder_.tokens_of(call.out);
  const SetId dkv = call.dkv < 0 ? shape.dkv : builder_.tokens_of(call.dkv);
  std::vector<Segment>& all = builder_.program().segments;
  if (!context_.detail.is_outline && (out != shape.out || dkv != shape.dkv)) {
    if (shape.used) {
      const size_t size = all.size();
      all.resize(size + shape.segments);
      std::copy_n(all.begin() + shape.first_segment, shape.segments, all.begin() + size);
      shape.first_segment = static_cast<int32_t>(size);
    }
    const std::span mine(all.data() + shape.first_segment, shape.segments);
    if (out != shape.out) place(mine, false, builder_.tokens_of(call.q), out);
    if (dkv != shape.dkv) place(mine, true, builder_.tokens_of(call.kv), dkv);
    shape.out = out;
    shape.dkv = dkv;
  }
  shape.used = true;
  call.first_segment = shape.first_segment;
  call.segments = shape.segments;
  builder_.call(call);
}

void RankCompiler::emit(Call call, CallShape& shape) {
  Partials& o = partials(Tensor::o);
  o.reserve(shape.queries, call.heads);
  const int32_t holder = o.holder(shape.queries, call.heads);
  const bool direct =
      holder >= 0 && !o.any_written(shape.queries, call.heads) &&
      together(shape, false, builder_.tokens_of(call.q), builder_.tokens_of(holder));
  call.out = direct ? holder
                    : builder_.add_buffer(Tensor::o, ElementClass::accumulation, call.heads,
                                          shape.queries);
  add_call(call, shape);
  if (direct) {
    o.mark_written(shape.queries, call.heads);
  } else {
    o.add(call.out, shape.queries, call.heads);
  }
}

int32_t RankCompiler::gradient_target(Tensor tensor, Heads query_heads, SetId touched,
                                      const CallShape& shape, int32_t source) {
  const bool keys = tensor == Tensor::dkv;
  const Heads heads = heads_of(tensor, query_heads, context_.problem.shape);
  partials(tensor).reserve(touched, heads);
  const int32_t holder = partials(tensor).holder(touched, heads);
  if (holder >= 0 &&
      together(shape, keys, builder_.tokens_of(source), builder_.tokens_of(holder))) {
    partials(tensor).complete(touched, heads);
    return holder;
  }
  const int32_t scratch = builder_.add_buffer(tensor, ElementClass::accumulation, heads, touched);
  builder_.move(RowMode::clear, -1, scratch, touched, heads);
  return scratch;
}

void RankCompiler::emit_backward(Call call, CallShape& shape) {
  call.out = gradient_target(Tensor::dq, call.heads, shape.queries, shape, call.q);
  call.dkv = gradient_target(Tensor::dkv, call.heads, shape.keys, shape, call.kv);
  add_call(call, shape);
  const Heads kv_heads = heads_of(Tensor::dkv, call.heads, context_.problem.shape);
  // A target that is not the holder is scratch; its rows are added to the partials.
  if (partials(Tensor::dq).holder(shape.queries, call.heads) != call.out) {
    partials(Tensor::dq).add(call.out, shape.queries, call.heads);
  }
  if (partials(Tensor::dkv).holder(shape.keys, kv_heads) != call.dkv) {
    partials(Tensor::dkv).add(call.dkv, shape.keys, kv_heads);
  }
}

}  // namespace cpbench
