// Verifies a program: walks the operations of each rank once and follows which rows of each buffer
// are written.
#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "harness/compile/program.h"
#include "harness/plan/plan_bytes.h"

namespace cpbench {
namespace {

constexpr size_t kMostReported = 20;

using Key = std::tuple<int32_t, int32_t, int32_t>;  // from, to, tag

class Verifier {
 public:
  explicit Verifier(const Program& program) : program_(program) {}

  std::vector<std::string> run() {
    for (rank_ = 0; rank_ < static_cast<int32_t>(program_.ranks.size()); ++rank_) {
      mine_ = &program_.ranks[rank_];
      buffers();
      operations();
      same_collectives();
    }
    for (const auto& [key, bytes] : sent_) {
      const auto& [from, to, tag] = key;
      rank_ = from;
      const auto received = received_.find(key);
      if (received == received_.end()) {
        report("R6", "message " + std::to_string(tag) + " to rank " + std::to_string(to) +
                         " is never received");
      } else if (received->second != bytes) {
        report("R6", "message " + std::to_string(tag) + " is sent with " + std::to_string(bytes) +
                         " bytes, received with " + std::to_string(received->second));
      }
    }
    for (const auto& [key, bytes] : received_) {
      rank_ = std::get<1>(key);
      if (!sent_.contains(key)) {
        report("R6", "message " + std::to_string(std::get<2>(key)) + " from rank " +
                         std::to_string(std::get<0>(key)) + " is never sent");
      }
    }
    return std::move(reports_);
  }

 private:
  void report(const char* rule, const std::string& text) {
    if (reports_.size() == kMostReported) return;
    reports_.push_back(std::string(rule) + " rank " + std::to_string(rank_) +
                       (op_ < 0 ? "" : " operation " + std::to_string(op_)) + ": " + text);
  }
  bool require(bool holds, const char* rule, const std::string& text) {
    if (!holds) report(rule, text);
    return holds;
  }
  static std::string name(int32_t buffer) { return "buffer " + std::to_string(buffer); }

  void buffers() {
    op_ = -1;
    const std::vector<Buffer>& all = mine_->buffers;
    const int64_t home_rows = size_of(mine_->home);
    for (int32_t home : {mine_->q, mine_->kv, mine_->latents, mine_->o, mine_->d_o, mine_->dq,
                         mine_->dkv, mine_->d_latents}) {
      if (home < 0) continue;
      require(all[home].rows == home_rows, "R1", name(home) + " must have the rows of its home");
    }
    std::vector<std::pair<int32_t, int32_t>> births;
    for (size_t i = 0; i < all.size(); ++i) {
      const Buffer& b = all[i];
      const auto id = static_cast<int32_t>(i);
      require(b.bytes >= parts_of(b, program_.shape).bytes && b.offset >= 0 &&
                  b.offset % kBufferAlignment == 0 && b.offset + b.bytes <= mine_->arena_bytes,
              "R1", name(id) + " does not fit its layout or the arena");
      births.emplace_back(b.first_op, id);
    }
    std::ranges::sort(births);
    std::map<int64_t, int32_t> alive;  // by offset
    for (const auto& [birth, id] : births) {
      std::erase_if(alive, [&, now = birth](const auto& e) { return all[e.second].last_op < now; });
      const Buffer& b = all[id];
      if (b.bytes == 0) continue;
      const auto next = alive.lower_bound(b.offset);
      if (next != alive.end() && next->first < b.offset + b.bytes) overlap(id, next->second);
      if (next != alive.begin()) {
        const int32_t before = std::prev(next)->second;
        if (all[before].offset + all[before].bytes > b.offset) overlap(id, before);
      }
      alive[b.offset] = id;
    }
  }
  void overlap(int32_t a, int32_t b) {
    report("R2", "buffers " + std::to_string(a) + " and " + std::to_string(b) + " overlap");
  }

  bool usable(int32_t id, Heads heads) {
    if (!require(id >= 0 && id < static_cast<int32_t>(mine_->buffers.size()), "R3",
                 name(id) + " does not exist")) {
      return false;
    }
    const Buffer& b = mine_->buffers[id];
    return require(b.first_op <= op_ && op_ <= b.last_op, "R3", name(id) + " is not alive") &&
           require(b.heads.contains(heads) && heads.size() > 0, "R3",
                   name(id) + " lacks the heads");
  }
  // False if some rows do not exist; otherwise `rows` is in normal form.
  bool rows_exist(int32_t id, Ranges& rows) {
    rows = normalise(std::move(rows));
    return require(
        rows.empty() || (rows.front().begin >= 0 && rows.back().end <= mine_->buffers[id].rows),
        "R3", "rows are outside of " + name(id));
  }
  bool covered(int32_t id, Heads heads, RangeSpan rows) {
    for (int32_t h = heads.begin; h < heads.end; ++h) {
      if (!contains_all(written_[{id, h}], rows)) return false;
    }
    return true;
  }
  void read(int32_t id, Heads heads, Ranges rows) {
    if (!rows_exist(id, rows) || covered(id, heads, rows)) return;
    Ranges missing;
    for (int32_t h = heads.begin; h < heads.end; ++h) {
      missing = unite(missing, subtract(rows, written_[{id, h}]));
    }
    report("R4", "rows [" + std::to_string(missing.front().begin) + ", " +
                     std::to_string(missing.front().end) + ") of " + name(id) +
                     " are read before they are written");
  }
  void write(int32_t id, Heads heads, Ranges rows) {
    if (!rows_exist(id, rows)) return;
    require(id != mine_->o || !has_sinks_, "R9", name(id) + " is written after the sinks");
    for (int32_t h = heads.begin; h < heads.end; ++h) {
      Ranges& written = written_[{id, h}];
      if (!contains_all(written, rows)) written = unite(written, rows);
    }
  }

  // Attention sinks change O and its log-sum-exp of all home rows.
  void sinks() {
    const Buffer& o = mine_->buffers[mine_->o];
    require(program_.shape.attention_sinks && !has_sinks_, "R9", "the sinks are merged again");
    if (usable(mine_->o, o.heads)) read(mine_->o, o.heads, {{0, o.rows}});
    has_sinks_ = true;
  }
  void require_sinks() {
    const bool needed = program_.shape.attention_sinks && mine_->buffers[mine_->o].rows > 0;
    require(has_sinks_ || !needed, "R9", "the sinks are not merged into home o");
  }

  void operations() {
    written_.clear();
    has_sinks_ = false;
    for (int32_t input : {mine_->q, mine_->kv, mine_->latents, mine_->d_o}) {
      if (input < 0) continue;
      const Buffer& b = mine_->buffers[input];
      write(input, b.heads, {{0, b.rows}});
    }
    for (op_ = 0; op_ < static_cast<int32_t>(mine_->ops.size()); ++op_) operation(mine_->ops[op_]);
    require_sinks();
    for (int32_t output : {mine_->o, mine_->dq, mine_->dkv, mine_->d_latents}) {
      if (output < 0) continue;
      const Buffer& b = mine_->buffers[output];
      require(b.rows == 0 || covered(output, b.heads, Ranges{{0, b.rows}}), "R7",
              "home " + name(output) + " is not written everywhere");
    }
  }

  void operation(const Op& op) {
    switch (op.kind) {
      case OpKind::rows:
        return rows(mine_->row_ops[op.index]);
      case OpKind::call:
        return call(mine_->calls[op.index]);
      case OpKind::send:
      case OpKind::receive:
        return message(op.kind, mine_->messages[op.index]);
      case OpKind::sinks:
        return sinks();
      case OpKind::row_sums:
        return require_sinks();
      case OpKind::collective:
        return collective(mine_->collectives[op.index]);
    }
  }

  // The heads of a buffer that an operation on these heads touches.
  Heads heads_in(int32_t id, Heads heads) const {
    const bool latent =
        id >= 0 && id < static_cast<int32_t>(mine_->buffers.size()) && mine_->buffers[id].latent;
    return latent ? mine_->buffers[id].heads : heads;
  }

  void rows(const RowOp& r) {
    const Heads target_heads = heads_in(r.target, r.heads);
    if (!usable(r.target, target_heads)) return;
    if (!require(r.runs > 0 && within(r.first_run, r.runs, mine_->runs), "R3",
                 "the runs do not exist")) {
      return;
    }
    Ranges source, target;
    for (int32_t i = r.first_run; i < r.first_run + r.runs; ++i) {
      const RowRun& run = mine_->runs[i];
      require(run.rows > 0, "R3", "run " + std::to_string(i) + " is empty");
      source.push_back({run.source_row, int64_t{run.source_row} + run.rows});
      target.push_back({run.target_row, int64_t{run.target_row} + run.rows});
    }
    require(disjoint(target), "R3", "a target row occurs twice");
    require(size_of(target) == r.rows, "R3", "the runs must have the rows of their operation");
    if (r.mode != RowMode::clear) {
      const Heads source_heads = heads_in(r.source, r.heads);
      if (!usable(r.source, source_heads)) return;
      require(mine_->buffers[r.source].tensor == mine_->buffers[r.target].tensor, "R3",
              "rows move between different tensors");
      read(r.source, source_heads, std::move(source));
    }
    if (r.mode == RowMode::accumulate) read(r.target, target_heads, target);
    write(r.target, target_heads, std::move(target));
  }

  template <typename T>
  static bool within(int32_t first, int32_t count, const std::vector<T>& all) {
    return first >= 0 && count >= 0 && static_cast<size_t>(first) + count <= all.size();
  }
  static bool disjoint(Ranges ranges) {
    std::ranges::sort(ranges, {}, &Range::begin);
    for (size_t i = 1; i < ranges.size(); ++i) {
      if (ranges[i - 1].end > ranges[i].begin) return false;
    }
    return true;
  }

  void call(const Call& c) {
    const Heads kv_heads = kv_heads_of(c.heads, program_.shape);
    const bool backward = c.d_o >= 0;
    if (!usable(c.q, c.heads) || !usable(c.kv, kv_heads) || !usable(c.out, c.heads)) return;
    if (backward && (!usable(c.d_o, c.heads) || !usable(c.dkv, kv_heads))) return;
    if (!require(within(c.first_segment, c.segments, mine_->segments), "R3",
                 "the segments do not exist")) {
      return;
    }
    Ranges queries, keys, out, dkv;
    for (int32_t i = c.first_segment; i < c.first_segment + c.segments; ++i) {
      const Segment& s = mine_->segments[i];
      const bool sees =
          s.q_rows > 0 && s.kv_rows > 0 &&
          (s.mask != SegmentMask::causal || s.kv_rows >= s.q_rows) &&
          (s.mask != SegmentMask::band ||
           (s.last >= 0 && s.first <= s.last && int64_t{s.first} + s.q_rows - 1 < s.kv_rows));
      require(sees, "R5", "segment " + std::to_string(i) + " has a row without keys");
      queries.push_back({s.q_row, int64_t{s.q_row} + s.q_rows});
      out.push_back({s.out_row, int64_t{s.out_row} + s.q_rows});
      keys.push_back({s.kv_row, int64_t{s.kv_row} + s.kv_rows});
      dkv.push_back({s.dkv_row, int64_t{s.dkv_row} + s.kv_rows});
    }
    require(disjoint(queries), "R5", "a query row occurs twice");
    require(disjoint(out), "R5", "a row of the result occurs twice");
    read(c.q, c.heads, queries);
    read(c.kv, kv_heads, std::move(keys));
    if (!backward) return write(c.out, c.heads, std::move(out));
    read(c.d_o, c.heads, std::move(queries));
    read(c.out, c.heads, std::move(out));  // added to
    read(c.dkv, kv_heads, std::move(dkv));
  }

  void message(OpKind kind, const Message& m) {
    if (m.buffer < 0 || !usable(m.buffer, mine_->buffers[m.buffer].heads)) return;
    const Buffer& b = mine_->buffers[m.buffer];
    require(m.bytes <= b.bytes, "R3", "a message is larger than " + name(m.buffer));
    const bool sends = kind == OpKind::send;
    const Key key = sends ? Key{rank_, m.peer, m.tag} : Key{m.peer, rank_, m.tag};
    const bool first = (sends ? sent_ : received_).emplace(key, m.bytes).second;
    require(first, "R6", "message " + std::to_string(m.tag) + " occurs twice");
    if (sends) {
      read(m.buffer, b.heads, {{0, b.rows}});
    } else {
      write(m.buffer, b.heads, {{0, b.rows}});
    }
  }

  void collective(const CollectiveOp& c) {
    const bool gathers = c.kind == CollectiveKind::all_gather;
    if (!require(gathers || c.kind == CollectiveKind::reduce_scatter, "R8",
                 "the collective is not one of a library") ||
        !require(c.blocks == static_cast<int32_t>(program_.ranks.size()), "R8",
                 "the collective must have one block per rank") ||
        !require(c.first_block >= 0 && within(c.first_block, c.blocks, mine_->buffers), "R3",
                 "the blocks do not exist")) {
      return;
    }
    const Buffer& first = mine_->buffers[c.first_block];
    for (int32_t r = 0; r < c.blocks; ++r) {
      const int32_t id = c.first_block + r;
      const Buffer& block = mine_->buffers[id];
      if (!usable(id, first.heads)) return;
      require(block.offset == first.offset + r * c.bytes && block.bytes == c.bytes &&
                  block.tensor == first.tensor && block.elements == first.elements,
              "R8", name(id) + " does not follow the block before it");
      if (!gathers) read(id, block.heads, {{0, block.rows}});
    }
    if (gathers) {
      if (!usable(c.source, first.heads)) return;
      const Buffer& source = mine_->buffers[c.source];
      require(source.bytes >= c.bytes && source.heads == first.heads &&
                  source.rows == mine_->buffers[c.first_block + rank_].rows,
              "R8", name(c.source) + " is not laid out as its block");
      read(c.source, source.heads, {{0, source.rows}});
    }
    for (int32_t r = 0; r < c.blocks; ++r) {
      const Buffer& block = mine_->buffers[c.first_block + r];
      if (gathers || r == rank_) write(c.first_block + r, block.heads, {{0, block.rows}});
    }
  }

  void same_collectives() {
    op_ = -1;
    const auto called = [](const RankProgram& rank) {
      std::vector<std::tuple<CollectiveKind, int32_t, int64_t>> all;
      for (const Op& op : rank.ops) {
        if (op.kind != OpKind::collective) continue;
        const CollectiveOp& c = rank.collectives[op.index];
        all.emplace_back(c.kind, c.tag, c.bytes);
      }
      return all;
    };
    require(called(*mine_) == called(program_.ranks.front()), "R8",
            "calls other collectives than rank 0");
  }

  const Program& program_;
  const RankProgram* mine_ = nullptr;
  int32_t rank_ = 0;
  int32_t op_ = -1;
  bool has_sinks_ = false;                                 // the sinks are merged into home o
  std::map<std::pair<int32_t, int32_t>, Ranges> written_;  // (buffer, head) -> rows
  std::map<Key, int64_t> sent_, received_;                 // bytes
  std::vector<std::string> reports_;
};

}  // namespace

std::vector<std::string> verify(const Program& program) { return Verifier(program).run(); }

}  // namespace cpbench
