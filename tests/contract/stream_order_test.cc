// The two streams of every strategy's programs against a slow oracle: two operations that share
// bytes of the arena run in the program's order, either because they are in one stream or because
// one waits for the other.
#include "harness/compile/stream_order.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "harness/compile/compile.h"
#include "tests/contract/judge.h"

namespace cpbench::contract {
namespace {

struct Access {
  int32_t item = -1;
  int64_t begin = 0, end = 0;
  bool writes = false;
};

class Oracle {
 public:
  Oracle(const RankProgram& program, const StreamOrder& order) : program_(program), order_(order) {
    item_of_op_.assign(program.ops.size(), -1);
    for (int32_t i = 0; i < std::ssize(order.items); ++i) {
      const StreamItem& item = order.items[i];
      if (!item.exchanges) {
        claim(item.index, i);
        continue;
      }
      const RankExchange& exchange = order.exchanges[item.index];
      for (const auto* side : {&exchange.sends, &exchange.receives}) {
        const OpKind kind = side == &exchange.sends ? OpKind::send : OpKind::receive;
        for (int32_t message : *side) claim(op_of(kind, message), i);
      }
      for (int32_t c : exchange.collectives) claim(op_of(OpKind::collective, c), i);
    }
  }

  std::string trouble() {
    for (int32_t item : item_of_op_) {
      if (item < 0) return "an operation is in no item";
    }
    if (!trouble_.empty()) return trouble_;
    follow_waits();
    std::vector<Access> accesses;
    for (size_t i = 0; i < program_.ops.size(); ++i) add(program_.ops[i], item_of_op_[i], accesses);
    for (size_t later = 0; later < accesses.size(); ++later) {
      for (size_t earlier = 0; earlier < later; ++earlier) {
        const Access &a = accesses[earlier], &b = accesses[later];
        if (a.item == b.item || std::max(a.begin, b.begin) >= std::min(a.end, b.end)) continue;
        if ((a.writes || b.writes) && !before(a.item, b.item)) {
          return "item " + std::to_string(b.item) + " may run before item " +
                 std::to_string(a.item);
        }
      }
    }
    return trouble_;
  }

 private:
  void claim(int32_t op, int32_t item) {
    if (item_of_op_[op] >= 0) trouble_ = "operation " + std::to_string(op) + " is in two items";
    item_of_op_[op] = item;
  }
  int32_t op_of(OpKind kind, int32_t index) const {
    return static_cast<int32_t>(std::ranges::find(program_.ops, Op{kind, index}) -
                                program_.ops.begin());
  }

  // Finds for each item the last item of the other stream that is done before it.
  void follow_waits() {
    int32_t waited[2] = {-1, -1};
    for (int32_t i = 0; i < std::ssize(order_.items); ++i) {
      const StreamItem& item = order_.items[i];
      if (item.wait >= i) trouble_ = "an item waits for a later one";
      if (item.wait >= 0 && order_.items[item.wait].exchanges == item.exchanges) {
        trouble_ = "an item waits for its own stream";
      }
      if (item.wait >= 0 && !order_.items[item.wait].awaited) trouble_ = "a wait is not recorded";
      waited[item.exchanges] = std::max(waited[item.exchanges], item.wait);
      waited_.push_back(waited[item.exchanges]);
    }
  }
  bool before(int32_t a, int32_t b) const {
    if (order_.items[a].exchanges == order_.items[b].exchanges) return a < b;
    return a <= waited_[b];
  }

  void touch(int32_t buffer, bool writes, int32_t item, std::vector<Access>& accesses) const {
    if (buffer < 0) return;
    const Buffer& b = program_.buffers[buffer];
    accesses.push_back({item, b.offset, b.offset + b.bytes, writes});
  }
  void add(const Op& op, int32_t item, std::vector<Access>& accesses) const {
    switch (op.kind) {
      case OpKind::send:
      case OpKind::receive:
        touch(program_.messages[op.index].buffer, op.kind == OpKind::receive, item, accesses);
        break;
      case OpKind::rows:
        touch(program_.row_ops[op.index].source, false, item, accesses);
        touch(program_.row_ops[op.index].target, true, item, accesses);
        break;
      case OpKind::sinks:
        touch(program_.o, true, item, accesses);
        break;
      case OpKind::row_sums:
        touch(program_.o, false, item, accesses);
        touch(program_.d_o, true, item, accesses);
        break;
      case OpKind::call: {
        const Call& call = program_.calls[op.index];
        for (int32_t operand : {call.q, call.kv, call.d_o}) touch(operand, false, item, accesses);
        for (int32_t result : {call.out, call.dkv}) touch(result, true, item, accesses);
        break;
      }
      case OpKind::collective: {
        const CollectiveOp& c = program_.collectives[op.index];
        touch(c.source, false, item, accesses);
        for (int32_t r = 0; r < c.blocks; ++r) touch(c.first_block + r, true, item, accesses);
        break;
      }
    }
  }

  const RankProgram& program_;
  const StreamOrder& order_;
  std::vector<int32_t> item_of_op_;
  std::vector<int32_t> waited_;  // by item
  std::string trouble_;
};

class EveryStrategyOnStreams : public testing::TestWithParam<const Strategy*> {};

TEST_P(EveryStrategyOnStreams, keeps_the_order_of_what_shares_bytes) {
  int ran = 0;
  const auto keeps_order = [&](const Problem& problem, const Plan& plan) -> std::string {
    const Exchanges exchanges(plan);
    for (Collectives collectives : {Collectives::messages, Collectives::library}) {
      const Program program = compile(problem, plan, Passes::both, collectives);
      for (const RankProgram& rank : program.ranks) {
        if (rank.ops.size() > 3000) continue;  // the oracle is quadratic
        const StreamOrder order = order_for_streams(rank, exchanges);
        const std::string trouble = Oracle(rank, order).trouble();
        if (!trouble.empty()) return trouble;
        if (!std::ranges::is_sorted(order.exchanges, {}, &RankExchange::exchange)) {
          return "exchanges out of order";
        }
        ++ran;
      }
    }
    return "";
  };
  for (const auto& problems : {adversarial_problems(), random_problems(20, 80, 11)}) {
    EXPECT_EQ(judge(problems, planner_of(*GetParam()), keeps_order).text(), "");
  }
  EXPECT_GT(ran, 0);
}

INSTANTIATE_TEST_SUITE_P(Registry, EveryStrategyOnStreams, testing::ValuesIn(strategies()),
                         [](const auto& info) { return info.param->name; });

}  // namespace
}  // namespace cpbench::contract
