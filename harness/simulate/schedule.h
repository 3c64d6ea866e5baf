// The Schedule: a Program with its times. What each rank does one after another, and what travels;
// how long the travelling takes is the network's to say.
//
// A rank works through its tasks in order: busy for so many seconds, or waiting for a transfer to
// arrive. Its exchanges (one per sub-stage of a step) follow one another at the same time. Having
// entered an exchange it first packs what it sends, between two tasks. A transfer begins when both
// its ranks have entered its exchange and its bytes are there; a rank leaves an exchange when all
// its own transfers of it are done.
#pragma once

#include <cstdint>
#include <vector>

#include "harness/compile/exchanges.h"
#include "harness/plan/plan.h"
#include "harness/timeline/timeline.h"

namespace cpbench {

struct Task {
  double seconds = 0;
  int32_t arrival = -1;  // a transfer to wait for; else busy for `seconds`
  int32_t step = 0;
  uint8_t pass = 0;
  Activity activity = Activity::attention;
};

// Gathering the rows of a message, on its sender.
struct Pack {
  double seconds = 0;
  int32_t after_task = 0;  // so many tasks of the rank come before
  int32_t exchange = 0;
  int32_t step = 0;
  uint8_t pass = 0;
};

// All messages of one exchange from one rank to another that wait for the same things.
struct Transfer {
  int32_t from = 0;
  int32_t to = 0;
  int64_t bytes = 0;
  int32_t exchange = 0;
  int32_t collective = -1;      // in Schedule::collectives; -1: a message of its own
  int32_t after_task = 0;       // so many tasks of the sender come before
  int32_t after_pack = 0;       // and so many packs
  int32_t after_transfer = -1;  // an arrival that is passed on as it is
};

struct CollectiveCall {
  CollectiveKind kind = CollectiveKind::all_gather;
  std::vector<int32_t> members;  // ranks, ascending
  int64_t block_bytes = 0;       // what one rank sends to one other, padding included
};

struct StepStart {
  int32_t pass = 0;
  int32_t step = 0;
  int32_t first_task = 0;
};

struct RankSchedule {
  std::vector<Task> tasks;
  std::vector<Pack> packs;  // by exchange
  std::vector<StepStart> steps;
};

struct Schedule {
  std::vector<RankSchedule> ranks;
  std::vector<Exchange> exchanges;  // in the order of their execution
  std::vector<Transfer> transfers;  // by exchange
  std::vector<CollectiveCall> collectives;
  int32_t lookahead[2] = {1, 1};  // of the passes

  int32_t size() const { return static_cast<int32_t>(ranks.size()); }
};

}  // namespace cpbench
