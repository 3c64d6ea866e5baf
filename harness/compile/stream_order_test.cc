// Which items may run at the same time. A missing wait is found by tests/contract, a needless wait
// is found here.
#include "harness/compile/stream_order.h"

#include <gtest/gtest.h>

#include "harness/compile/compile.h"
#include "harness/plan/builder.h"
#include "harness/plan/test_problems.h"

namespace cpbench {
namespace {

// A ring of three ranks: in step s a rank attends the keys that came before it and sends them on.
Plan ring(const Problem& problem) {
  PlanBuilder b(problem);
  for (int32_t r = 0; r < 3; ++r) b.home(r, {{4 * r, 4 * r + 4}});
  for (int32_t step = 0; step < 3; ++step) {
    for (int32_t r = 0; r < 3; ++r) {
      const SetId held = b.home_of((r + 3 - step) % 3);
      b.forward().attend(step, r, b.home_of(r), held);
      if (step < 2) b.forward().send(step, r, (r + 1) % 3, Tensor::kv, held);
    }
  }
  b.backward_travelling();
  return b.finish();
}

struct Streams {
  RankProgram program;
  StreamOrder order;
  std::vector<Exchange> exchanges;

  // The first item of that kind in a step.
  const StreamItem& item(int32_t pass, int32_t step, bool exchanges, OpKind kind = {}) const {
    for (const StreamItem& item : order.items) {
      const ProgramStep& at = program.steps[item.step];
      if (at.pass != pass || at.step != step || item.exchanges != exchanges) continue;
      if (exchanges || program.ops[item.index].kind == kind) return item;
    }
    throw std::logic_error("no such item");
  }
  bool waits_for_exchange(const StreamItem& waiting, int32_t step) const {
    if (waiting.wait < 0) return false;
    const StreamItem& awaited = order.items[waiting.wait];
    return awaited.exchanges && program.steps[awaited.step].step == step;
  }
};

Streams ring_streams(Mask mask = Mask::document_full) {
  const Problem problem =
      problem_of(Batch{.document_lengths = {12}, .mask = mask}, 3, {2, 1, 4, 4});
  const Plan plan = ring(problem);
  EXPECT_EQ(violations(problem, plan), "");
  const Exchanges exchanges(plan);
  Streams streams{compile(problem, plan, Passes::both).ranks[0], {}, exchanges.all};
  streams.order = order_for_streams(streams.program, exchanges);
  return streams;
}

TEST(StreamOrder, a_ring_passes_keys_on_beside_its_calls) {
  const Streams s = ring_streams();
  // Neither what goes out first nor what is passed on waits for a call.
  EXPECT_EQ(s.item(0, 0, true).wait, -1);
  EXPECT_EQ(s.item(0, 1, true).wait, -1);
  EXPECT_EQ(s.item(0, 0, false, OpKind::call).wait, -1);
  EXPECT_TRUE(s.waits_for_exchange(s.item(0, 1, false, OpKind::call), 0));
  EXPECT_TRUE(s.waits_for_exchange(s.item(0, 2, false, OpKind::call), 1));
}

TEST(StreamOrder, an_exchange_is_issued_a_step_ahead_of_its_own) {
  const Streams s = ring_streams();
  const auto position = [&](const StreamItem& item) { return &item - s.order.items.data(); };
  EXPECT_LT(position(s.item(0, 1, true)), position(s.item(0, 0, false, OpKind::call)));
}

TEST(StreamOrder, gradients_are_sent_when_their_call_is_done) {
  const Streams s = ring_streams();
  bool found = false;
  for (const StreamItem& item : s.order.items) {
    if (!item.exchanges || s.program.steps[item.step].pass == 0) continue;
    for (int32_t message : s.order.exchanges[item.index].sends) {
      if (s.program.buffers[s.program.messages[message].buffer].tensor != Tensor::dkv) continue;
      found = true;
      EXPECT_GE(item.wait, 0);  // for the pack, which follows the call on its stream
    }
  }
  EXPECT_TRUE(found);
}

TEST(StreamOrder, an_empty_rank_has_no_items) {
  EXPECT_TRUE(order_for_streams(RankProgram(), Exchanges(Plan())).items.empty());
}

TEST(Exchanges, a_substage_is_an_exchange) {
  Plan plan;
  plan.forward.sends.resize(4);
  plan.forward.sends[2].substage = 1;
  plan.forward.sends[3].step = 2;
  plan.backward.sends.resize(1);
  plan.backward.lookahead = 3;
  const Exchanges exchanges(plan);
  EXPECT_EQ(exchanges.all, (std::vector<Exchange>{{0, 0, 0}, {0, 0, 1}, {0, 2, 0}, {1, 0, 0}}));
  EXPECT_EQ(exchanges.of(2 * 1 + 0), 0);
  EXPECT_EQ(exchanges.of(2 * 3 + 0), 2);
  EXPECT_EQ(exchanges.of(2 * 0 + 1), 3);
  EXPECT_EQ(exchanges.lookahead[1], 3);
}

}  // namespace
}  // namespace cpbench
