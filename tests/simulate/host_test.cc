// The host launches work while the GPU computes: schedules whose times can be computed by hand.
#include <gtest/gtest.h>

#include "harness/machines/kernel_models.h"
#include "harness/simulate/engine.h"
#include "tests/simulate/machines.h"

namespace cpbench {
namespace {

constexpr double kHost = 3e-6;  // seconds per launch

// One rank with tasks of equal length.
Schedule tasks_of(int32_t count, double seconds) {
  Schedule schedule;
  schedule.ranks.resize(1);
  schedule.ranks[0].steps.push_back({});
  schedule.ranks[0].tasks.assign(count, {.seconds = seconds, .host_seconds = kHost});
  return schedule;
}

double waited_for_host(const Execution& execution) {
  double seconds = 0;
  for (const Event& event : execution.events) {
    if (event.activity == Activity::host) seconds += event.end_seconds - event.start_seconds;
  }
  return seconds;
}

TEST(Host, is_hidden_behind_long_kernels_except_for_the_first_launch) {
  const Execution execution = run(tasks_of(10, 10e-6), small_machine(1, 1), {});
  EXPECT_NEAR(execution.end_seconds[0], kHost + 10 * 10e-6, 1e-15);
  EXPECT_NEAR(waited_for_host(execution), kHost, 1e-15);
}

TEST(Host, paces_kernels_that_are_shorter_than_their_launch) {
  const Execution execution = run(tasks_of(10, 1e-6), small_machine(1, 1), {});
  EXPECT_NEAR(execution.end_seconds[0], 10 * kHost + 1e-6, 1e-15);
  EXPECT_NEAR(waited_for_host(execution), kHost + 9 * (kHost - 1e-6), 1e-15);
}

TEST(Host, launches_a_graph_once) {
  Schedule schedule = tasks_of(10, 1e-6);
  for (Task& task : schedule.ranks[0].tasks) task.host_seconds = 0;
  Profile profile;
  profile.graph_seconds = 5e-6;
  EXPECT_NEAR(run(schedule, small_machine(1, 1), profile).end_seconds[0], 15e-6, 1e-15);
}

// Rank 0 computes and sends; rank 1 waits.
TEST(Host, launches_exchanges_on_both_sides) {
  Schedule schedule;
  schedule.ranks.resize(2);
  for (RankSchedule& rank : schedule.ranks) rank.steps.push_back({});
  schedule.ranks[0].tasks = {{.seconds = 10e-6, .host_seconds = kHost}};
  schedule.ranks[1].tasks = {{.arrival = 0, .activity = Activity::wait}};
  schedule.exchanges.push_back({});
  schedule.transfers = {{.from = 0, .to = 1, .bytes = 370000}};
  const ClusterModel machine = small_machine(1, 2);
  const double wire = 3e-6 + 1e-6;
  const auto arrival = [&](double exchange_seconds, int32_t after_task, Portion portion) {
    Profile profile;
    profile.exchange_seconds = exchange_seconds;
    schedule.transfers[0].after_task = after_task;
    return run(schedule, machine, profile, portion).end_seconds[1];
  };
  EXPECT_NEAR(arrival(20e-6, 0, Portion::whole), 20e-6 + wire, 1e-15);
  EXPECT_NEAR(arrival(2e-6, 1, Portion::whole), 2e-6 + kHost + 10e-6 + wire, 1e-15);
  EXPECT_NEAR(arrival(20e-6, 1, Portion::work), kHost + 10e-6, 1e-15);
  EXPECT_NEAR(arrival(20e-6, 1, Portion::exchanges), 20e-6 + wire, 1e-15);
}

TEST(Host, of_a_ring_is_hidden_by_long_kernels_and_paces_short_ones) {
  constexpr double kExchange = 850e-6;
  const ClusterModel machine = small_machine(1, 8);
  const auto seconds = [&](int64_t tokens, double exchange_seconds) {
    const Problem problem = small_problem(machine, {tokens});
    Profile profile;
    profile.exchange_seconds = exchange_seconds;
    return makespan(simulate_plan(problem, plan_of("zigzag", problem), machine,
                                  find_kernel("cudnn_h200"), Passes::forward, profile));
  };
  EXPECT_LT(seconds(1 << 19, kExchange), seconds(1 << 19, 0) + 2 * kExchange);
  EXPECT_GT(seconds(1 << 12, kExchange), 7 * kExchange);  // seven hops
}

}  // namespace
}  // namespace cpbench
