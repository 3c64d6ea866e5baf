// How long each operation of a rank's program takes: kernel calls by the kernel model, copies and
// merges by the bytes they move, or all of these as they were measured; the layer around the
// attention by its FLOPs.
#pragma once

#include <span>

#include "harness/compile/program.h"
#include "harness/cost/kernel_time.h"
#include "harness/machines/cluster_model.h"
#include "harness/machines/profile.h"
#include "harness/simulate/schedule.h"

namespace cpbench {

struct Costs {
  const AttentionShape& shape;
  const Plan& plan;  // which messages are a library's collective
  const ClusterModel& machine;
  const KernelModel& kernel;  // not read where operations were measured
  const Profile& profile;
};

// A message of the program, still without its other end.
struct MessageEnd {
  int32_t peer = 0;
  int32_t tag = 0;
  int64_t bytes = 0;
  int32_t task = 0;             // send: tasks that come before; receive: the task that waits
  int32_t pack = 0;             // send: packs that come before
  int32_t after_received = -1;  // send: index of the receive whose bytes it passes on
};

struct PricedRank {
  RankSchedule schedule;
  std::vector<MessageEnd> sends;
  std::vector<MessageEnd> receives;
};

// `measured`: seconds of each operation of the program but messages; empty: by the models.
PricedRank price(const RankProgram& program, Passes passes, const Costs& costs,
                 std::span<const double> measured = {});

}  // namespace cpbench
