// 1. Lists the operations in their order, with an exchange where its step has packed what it sends.
// Each of them gets the last ones before it that touch the same bytes. 2. Issues items: the work in
// its order, and before each piece of work the packs and exchanges that may begin by then and whose
// predecessors are issued. Two items that touch the same bytes never change places.
#include "harness/compile/stream_order.h"

#include <algorithm>
#include <array>
#include <map>
#include <span>
#include <utility>

namespace cpbench {
namespace {

enum Lane : uint8_t { work, pack, exchange };
constexpr int kLanes = 3;

// The number of a node in each lane; -1 if there is none.
using Numbers = std::array<int32_t, kLanes>;
constexpr Numbers kNone = {-1, -1, -1};

struct Node {
  int32_t index = 0;  // of the operation, or of the exchange of the rank
  int32_t step = 0;
  Numbers after = kNone;  // the last ones before it that touch the same bytes
};

// Which nodes touched which bytes of the arena last.
class Bytes {
 public:
  explicit Bytes(int64_t size) { runs_[0] = runs_[size] = {}; }

  void touch(int64_t begin, int64_t end, bool writes, Lane lane, int32_t number, Numbers& after) {
    if (begin == end) return;
    const auto first = cut(begin), last = cut(end);
    for (auto run = first; run != last; ++run) {
      Touched& touched = run->second;
      const auto follow = [&](Numbers numbers) {
        for (int l = 0; l < kLanes; ++l) {
          if (l != lane || numbers[l] != number) after[l] = std::max(after[l], numbers[l]);
        }
      };
      follow(touched.written);
      if (!writes) {
        touched.read[lane] = number;
        continue;
      }
      follow(touched.read);
      touched = {};
      touched.written[lane] = number;
    }
  }

 private:
  struct Touched {
    Numbers written = kNone;  // in one lane
    Numbers read = kNone;     // since then
  };
  using Runs = std::map<int64_t, Touched>;  // each holds from its key to the next key
  Runs::iterator cut(int64_t at) {
    const auto next = runs_.lower_bound(at);
    if (next->first == at) return next;
    return runs_.emplace_hint(next, at, std::prev(next)->second);
  }

  Runs runs_;
};

class Orderer {
 public:
  Orderer(const RankProgram& program, const Exchanges& exchanges)
      : program_(program), exchanges_(exchanges), bytes_(program.arena_bytes) {}

  StreamOrder order() {
    for (step_ = 0; step_ < std::ssize(program_.steps); ++step_) add_step();
    for (step_ = 0; step_ < std::ssize(program_.steps); ++step_) issue_step();
    for (Lane lane : {pack, exchange}) force(lane, std::ssize(lanes_[lane]) - 1);
    return std::move(order_);
  }

 private:
  std::span<const Op> ops_of(const ProgramStep& step) const {
    return {program_.ops.data() + step.first_op, static_cast<size_t>(step.ops)};
  }

  // ---- 1

  void add_step() {
    const ProgramStep& step = program_.steps[step_];
    const std::span<const Op> ops = ops_of(step);
    std::map<int32_t, RankExchange> own;
    std::vector<int32_t> sent;  // buffers
    size_t sends_end = 0;
    for (size_t i = 0; i < ops.size(); ++i) {
      if (ops[i].kind == OpKind::collective) {
        const CollectiveOp& op = program_.collectives[ops[i].index];
        own[exchanges_.of(op.tag)].collectives.push_back(ops[i].index);
        if (op.source >= 0) sent.push_back(op.source);
        for (int32_t r = 0; r < op.blocks; ++r) sent.push_back(op.first_block + r);
        sends_end = i + 1;
      }
      if (ops[i].kind != OpKind::send && ops[i].kind != OpKind::receive) continue;
      const Message& message = program_.messages[ops[i].index];
      RankExchange& mine = own[exchanges_.of(message.tag)];
      if (ops[i].kind == OpKind::send) {
        mine.sends.push_back(ops[i].index);
        sent.push_back(message.buffer);
        sends_end = i + 1;
      } else {
        mine.receives.push_back(ops[i].index);
      }
    }
    std::ranges::sort(sent);
    for (size_t i = 0; i < sends_end; ++i) {
      const bool packs = ops[i].kind == OpKind::rows &&
                         std::ranges::binary_search(sent, program_.row_ops[ops[i].index].target);
      add_op(packs ? pack : work, step.first_op + static_cast<int32_t>(i));
    }
    for (auto& [number, mine] : own) {
      mine.exchange = number;
      add_exchange(std::move(mine));
    }
    for (size_t i = sends_end; i < ops.size(); ++i) {
      add_op(work, step.first_op + static_cast<int32_t>(i));
    }
  }

  void touch(Lane lane, int32_t buffer, bool writes) {
    if (buffer < 0) return;
    const Buffer& b = program_.buffers[buffer];
    bytes_.touch(b.offset, b.offset + b.bytes, writes, lane,
                 static_cast<int32_t>(lanes_[lane].size()) - 1, lanes_[lane].back().after);
  }

  void add_op(Lane lane, int32_t index) {
    const Op& op = program_.ops[index];
    if (exchanges_bytes(op.kind)) return;
    lanes_[lane].push_back({.index = index, .step = step_});
    if (op.kind == OpKind::rows) {
      touch(lane, program_.row_ops[op.index].source, false);
      touch(lane, program_.row_ops[op.index].target, true);
    } else if (op.kind == OpKind::sinks) {
      touch(lane, program_.o, true);
    } else if (op.kind == OpKind::row_sums) {
      touch(lane, program_.o, false);
      touch(lane, program_.d_o, true);
    } else {
      const Call& call = program_.calls[op.index];
      for (int32_t operand : {call.q, call.kv, call.d_o}) touch(lane, operand, false);
      for (int32_t result : {call.out, call.dkv}) touch(lane, result, true);
    }
  }

  void add_exchange(RankExchange mine) {
    const auto by_tag = [&](int32_t message) { return program_.messages[message].tag; };
    std::ranges::stable_sort(mine.sends, {}, by_tag);
    std::ranges::stable_sort(mine.receives, {}, by_tag);
    std::ranges::stable_sort(mine.collectives, {},
                             [&](int32_t i) { return program_.collectives[i].tag; });
    lanes_[exchange].push_back(
        {.index = static_cast<int32_t>(order_.exchanges.size()), .step = step_});
    for (int32_t i : mine.sends) touch(exchange, program_.messages[i].buffer, false);
    for (int32_t i : mine.receives) touch(exchange, program_.messages[i].buffer, true);
    for (int32_t i : mine.collectives) {
      const CollectiveOp& op = program_.collectives[i];
      touch(exchange, op.source, false);
      for (int32_t r = 0; r < op.blocks; ++r) touch(exchange, op.first_block + r, true);
    }
    order_.exchanges.push_back(std::move(mine));
  }

  // ---- 2

  std::pair<int32_t, int32_t> place(int32_t step) const {
    return {program_.steps[step].pass, program_.steps[step].step};
  }

  void issue_step() {
    issue_ready();
    while (issued_[work] < std::ssize(lanes_[work]) && lanes_[work][issued_[work]].step == step_) {
      issue(work);
      issue_ready();
    }
  }

  void issue_ready() {
    for (bool any = true; any;) {
      any = false;
      for (Lane lane : {pack, exchange}) {
        while (ready(lane)) {
          issue(lane);
          any = true;
        }
      }
    }
  }

  bool ready(Lane lane) const {
    if (issued_[lane] == std::ssize(lanes_[lane])) return false;
    const Node& node = lanes_[lane][issued_[lane]];
    const auto [pass, step] = place(node.step);
    if (place(step_) < std::pair(pass, step - exchanges_.lookahead[pass])) return false;
    for (int l = 0; l < kLanes; ++l) {
      if (node.after[l] >= issued_[l]) return false;
    }
    // What arrives in a step is ready when the rank's next step begins. A pack that waited for it
    // earlier would delay the calls.
    const int32_t arrival = node.after[exchange];
    return lane == exchange || arrival < 0 || lanes_[exchange][arrival].step < step_;
  }

  // Issues the nodes of a lane up to that number, and what must come before them.
  void force(Lane lane, int64_t number) {
    while (issued_[lane] <= number) issue(lane);
  }

  void issue(Lane lane) {
    const Node& node = lanes_[lane][issued_[lane]];
    for (Lane other : {pack, exchange}) {
      if (other != lane) force(other, node.after[other]);
    }
    const bool exchanges = lane == exchange;
    int32_t wait = -1;
    for (int l = 0; l < kLanes; ++l) {
      if ((l == exchange) != exchanges && node.after[l] >= 0) {
        wait = std::max(wait, item_of_[l][node.after[l]]);
      }
    }
    int32_t& waited = waited_[exchanges ? 1 : 0];
    if (wait <= waited) wait = -1;  // an earlier item of the stream has waited for it
    waited = std::max(waited, wait);
    if (wait >= 0) order_.items[wait].awaited = true;
    item_of_[lane].push_back(static_cast<int32_t>(order_.items.size()));
    order_.items.push_back(
        {.exchanges = exchanges, .index = node.index, .step = node.step, .wait = wait});
    ++issued_[lane];
  }

  const RankProgram& program_;
  const Exchanges& exchanges_;
  Bytes bytes_;
  int32_t step_ = 0;
  std::array<std::vector<Node>, kLanes> lanes_;
  std::array<int32_t, kLanes> issued_{};
  std::array<std::vector<int32_t>, kLanes> item_of_;  // by lane and number
  std::array<int32_t, 2> waited_{-1, -1};  // by stream: the last item that it has waited for
  StreamOrder order_;
};

}  // namespace

StreamOrder order_for_streams(const RankProgram& program, const Exchanges& exchanges) {
  return Orderer(program, exchanges).order();
}

}  // namespace cpbench
