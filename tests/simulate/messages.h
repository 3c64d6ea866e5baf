// Messages alone as a Schedule, and when each arrives: how networks are compared with closed forms.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "harness/simulate/engine.h"

namespace cpbench {

struct TimedMessage {
  int32_t from, to;
  int64_t bytes;
  double start_seconds;
};

// Every rank sends its messages at their times, all in one exchange, and then waits for its
// arrivals in the given order. The wait for message i is in step i.
inline Schedule schedule_of(const std::vector<TimedMessage>& messages, int32_t ranks,
                            const std::vector<int32_t>& order_of_arrival) {
  Schedule schedule;
  schedule.exchanges.push_back({});
  schedule.ranks.resize(ranks);
  for (RankSchedule& rank : schedule.ranks) rank.steps.push_back({});
  std::vector<int32_t> by_start(messages.size());
  for (size_t i = 0; i < by_start.size(); ++i) by_start[i] = static_cast<int32_t>(i);
  std::stable_sort(by_start.begin(), by_start.end(), [&](int32_t a, int32_t b) {
    return messages[a].start_seconds < messages[b].start_seconds;
  });
  std::vector<double> now(ranks);
  schedule.transfers.resize(messages.size());
  for (int32_t i : by_start) {
    const TimedMessage& m = messages[i];
    std::vector<Task>& tasks = schedule.ranks[m.from].tasks;
    tasks.push_back({.seconds = m.start_seconds - now[m.from]});
    now[m.from] = m.start_seconds;
    schedule.transfers[i] = {.from = m.from,
                             .to = m.to,
                             .bytes = m.bytes,
                             .after_task = static_cast<int32_t>(tasks.size())};
  }
  for (int32_t i : order_of_arrival) {
    schedule.ranks[messages[i].to].tasks.push_back(
        {.arrival = i, .step = i, .activity = Activity::wait});
  }
  return schedule;
}

// The arrival of each message; `unseen` if its receiver was still busy sending then.
inline std::vector<double> arrivals(const Execution& execution, size_t messages, double unseen) {
  std::vector<double> seconds(messages, unseen);
  for (const Event& event : execution.events) {
    if (event.activity == Activity::wait) seconds[event.step] = event.end_seconds;
  }
  return seconds;
}

}  // namespace cpbench
