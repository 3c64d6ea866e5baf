// Compares the engine with a slow one that looks at everything again after every event.
#include "harness/simulate/engine.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "harness/machines/kernel_models.h"
#include "harness/simulate/collectives.h"
#include "harness/simulate/make_schedule.h"
#include "harness/simulate/ports.h"
#include "harness/simulate/price.h"
#include "tests/simulate/machines.h"

namespace cpbench {
namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();

class SlowEngine {
 public:
  SlowEngine(const Schedule& schedule, const ClusterModel& machine)
      : schedule_(schedule), machine_(machine), network_(machine), ranks_(schedule.size()) {
    transfers_.resize(schedule.transfers.size());
    for (size_t id = 0; id < transfers_.size(); ++id) {
      const Transfer& t = schedule.transfers[id];
      for (int32_t rank : {t.from, t.to}) ranks_[rank].transfers.push_back(id);
    }
    messages_left_.resize(schedule.collectives.size());
  }

  // The time when each rank has done its tasks.
  std::vector<double> run() {
    while (true) {
      bool changed = true;
      while (changed) {
        changed = false;
        for (int32_t rank = 0; rank < schedule_.size(); ++rank) changed |= work(rank);
        for (size_t id = 0; id < transfers_.size(); ++id) changed |= launch(id);
      }
      double due = kNever;
      for (const Rank& r : ranks_) due = std::min(due, r.busy_until);
      now_ = network_.next_seconds(due);
      if (now_ == kNever) break;
      for (Rank& r : ranks_) finish(r);
      for (int32_t id : network_.advance(now_)) arrive(id);
    }
    std::vector<double> ends;
    for (const Rank& r : ranks_) ends.push_back(r.end);
    return ends;
  }

 private:
  struct Rank {
    int32_t tasks = 0, packs = 0;  // done
    double busy_until = kNever;
    bool packing = false;
    double end = 0;
    std::vector<size_t> transfers;  // its own
  };
  struct State {
    bool launched = false, arrived = false;
  };

  // Whether the rank has left every earlier exchange, and its steps allow this one.
  bool inside(int32_t rank, int32_t exchange) const {
    for (size_t id : ranks_[rank].transfers) {
      if (schedule_.transfers[id].exchange < exchange && !transfers_[id].arrived) return false;
    }
    return may_enter(rank, exchange);
  }
  bool may_enter(int32_t rank, int32_t exchange) const {
    const Exchange& e = schedule_.exchanges[exchange];
    for (const StepStart& start : schedule_.ranks[rank].steps) {
      const bool near = start.pass > e.pass || (start.pass == e.pass &&
                                                start.step + schedule_.lookahead[e.pass] >= e.step);
      if (near) return ranks_[rank].tasks >= start.first_task;
    }
    return ranks_[rank].tasks == static_cast<int32_t>(schedule_.ranks[rank].tasks.size());
  }

  bool work(int32_t rank) {
    Rank& r = ranks_[rank];
    const RankSchedule& own = schedule_.ranks[rank];
    if (r.busy_until < kNever) return false;
    if (r.packs < static_cast<int32_t>(own.packs.size())) {
      const Pack& pack = own.packs[r.packs];
      if (r.tasks >= pack.after_task && may_enter(rank, pack.exchange)) {
        r.busy_until = now_ + pack.seconds;
        return r.packing = true;
      }
    }
    if (r.tasks == static_cast<int32_t>(own.tasks.size())) return false;
    const Task& task = own.tasks[r.tasks];
    if (task.arrival < 0) {
      r.busy_until = now_ + task.seconds;
      return true;
    }
    if (!transfers_[task.arrival].arrived) return false;
    ++r.tasks;
    r.end = now_;
    return true;
  }

  void finish(Rank& r) const {
    if (r.busy_until > now_) return;
    ++(r.packing ? r.packs : r.tasks);
    r.packing = false;
    r.busy_until = kNever;
    r.end = now_;
  }

  bool ready(size_t id) const {
    const Transfer& t = schedule_.transfers[id];
    const Rank& from = ranks_[t.from];
    return from.tasks >= t.after_task && from.packs >= t.after_pack &&
           (t.after_transfer < 0 || transfers_[t.after_transfer].arrived) &&
           inside(t.from, t.exchange) && inside(t.to, t.exchange);
  }

  bool launch(size_t id) {
    if (transfers_[id].launched || !ready(id)) return false;
    const Transfer& t = schedule_.transfers[id];
    if (t.collective < 0) {
      network_.start(static_cast<int32_t>(id), t.from, t.to, t.bytes, now_);
      return transfers_[id].launched = true;
    }
    for (size_t other = 0; other < transfers_.size(); ++other) {
      if (schedule_.transfers[other].collective == t.collective && !ready(other)) return false;
    }
    for (size_t other = 0; other < transfers_.size(); ++other) {
      if (schedule_.transfers[other].collective == t.collective) transfers_[other].launched = true;
    }
    for (const CollectiveMessage& m : messages_of(machine_, schedule_.collectives[t.collective])) {
      const auto message = static_cast<int32_t>(transfers_.size() + collective_of_.size());
      collective_of_.push_back(t.collective);
      ++messages_left_[t.collective];
      network_.start(message, m.from, m.to, m.bytes, now_);
    }
    return true;
  }

  void arrive(int32_t id) {
    const auto transfers = static_cast<int32_t>(transfers_.size());
    if (id < transfers) {
      transfers_[id].arrived = true;
      return;
    }
    const int32_t collective = collective_of_[id - transfers];
    if (--messages_left_[collective] > 0) return;
    for (size_t other = 0; other < transfers_.size(); ++other) {
      if (schedule_.transfers[other].collective == collective) transfers_[other].arrived = true;
    }
  }

  const Schedule& schedule_;
  const ClusterModel& machine_;
  Ports network_;
  double now_ = 0;
  std::vector<Rank> ranks_;
  std::vector<State> transfers_;
  std::vector<int32_t> collective_of_;  // by message after the transfers
  std::vector<int32_t> messages_left_;  // by collective, in flight
};

class EngineOf : public ::testing::TestWithParam<const Strategy*> {};

TEST_P(EngineOf, agrees_with_one_that_looks_at_everything) {
  for (bool with_messages : {false, true}) {
    const ClusterModel machine = small_machine(2, 4);
    const Problem problem = small_problem(machine, {1500, 175, 64, 1, 775, 625, 225, 731});
    Plan plan;
    try {
      plan = plan_of(GetParam()->name, problem);
    } catch (const Unsupported& reason) {
      GTEST_SKIP() << reason.what();
    }
    const KernelModel& kernel = find_kernel("cudnn_h200");
    Profile profile;
    profile.collectives_as_messages = profile.multicast_per_node = with_messages;
    std::vector<PricedRank> priced;
    for (const RankProgram& rank : compile(problem, plan, Passes::both).ranks) {
      priced.push_back(price(rank, Passes::both, {problem.shape, plan, machine, kernel, profile}));
    }
    const Schedule schedule = make_schedule(plan, std::move(priced), profile, machine.cluster);
    EXPECT_EQ(run(schedule, machine, profile).end_seconds, SlowEngine(schedule, machine).run());
    // If something may happen after any task, all are done one by one.
    std::vector<RankExchanges> each = exchanges_by_rank(schedule);
    for (RankExchanges& own : each) own.awaited.assign(own.awaited.size(), true);
    for (const Portion portion : {Portion::whole, Portion::work, Portion::exchanges}) {
      const Execution one_by_one = run(schedule, each, machine, profile, portion);
      const Execution together = run(schedule, machine, profile, portion);
      EXPECT_EQ(together.end_seconds, one_by_one.end_seconds);
      // What ends and what arrives within one instant (ports.h) may be told apart by rounding.
      const auto near = [](double a, double b) { return std::abs(a - b) <= 1e-12 * b; };
      const auto same = [&](const Event& a, const Event& b) {
        return a.rank == b.rank && a.activity == b.activity && a.step == b.step &&
               near(a.start_seconds, b.start_seconds) && near(a.end_seconds, b.end_seconds);
      };
      EXPECT_TRUE(std::ranges::equal(together.events, one_by_one.events, same));
      EXPECT_EQ(together.work, one_by_one.work);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Engine, EngineOf, ::testing::ValuesIn(strategies()),
                         [](const auto& param) { return param.param->name; });

}  // namespace
}  // namespace cpbench
