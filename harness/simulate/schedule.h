// The Schedule: a Program with its times. It says what each rank does, one task after another, and
// what it sends; the network decides how long transfers take.
//
// A rank works through its tasks in order: it is busy for some time, or waits for a transfer to
// arrive. At the same time it goes through its exchanges, one per sub-stage of a step, one after
// another. When a rank has entered an exchange, it first packs what it sends, between two tasks. A
// transfer begins when both its ranks have entered its exchange and its bytes are ready. A rank
// leaves an exchange when all its own transfers of that exchange have arrived.
//
// The host of a rank launches tasks, packs and exchanges in the order in which the rank begins
// them, and does not wait for the rank. A rank begins when the host has launched it, which is the
// sum of the host's seconds until then.
#pragma once

#include <cstdint>
#include <vector>

#include "harness/compile/exchanges.h"
#include "harness/plan/plan.h"
#include "harness/timeline/timeline.h"

namespace cpbench {

struct Task {
  double seconds = 0;
  double host_seconds = 0;  // of launching it
  int32_t arrival = -1;     // the transfer that the rank waits for; -1: it is busy for `seconds`
  int32_t step = 0;
  uint8_t pass = 0;
  Activity activity = Activity::attention;
};

// Packing the rows of a message on its sender.
struct Pack {
  double seconds = 0;
  double host_seconds = 0;
  int32_t after_task = 0;  // number of tasks of the rank that must be done before
  int32_t exchange = 0;
  int32_t step = 0;
  uint8_t pass = 0;
};

// All messages of one exchange from one rank to another that wait for the same conditions.
struct Transfer {
  int32_t from = 0;
  int32_t to = 0;
  int64_t bytes = 0;
  int32_t exchange = 0;
  int32_t collective = -1;      // index in Schedule::collectives; -1: not part of one
  int32_t after_task = 0;       // number of tasks of the sender that must be done before
  int32_t after_pack = 0;       // and number of its packs
  int32_t after_transfer = -1;  // the arrival whose bytes it passes on; -1: none
};

struct CollectiveCall {
  CollectiveKind kind = CollectiveKind::all_gather;
  std::vector<int32_t> members;  // ranks, ascending
  int64_t block_bytes = 0;       // from one rank to one other, including padding
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
  std::vector<Exchange> exchanges;  // in the order of execution
  std::vector<Transfer> transfers;  // by exchange
  std::vector<CollectiveCall> collectives;
  int32_t lookahead[2] = {1, 1};  // of each pass

  int32_t size() const { return static_cast<int32_t>(ranks.size()); }
};

}  // namespace cpbench
