// The time of each operation of a rank's program: kernel calls by the kernel model, copies and
// merges by the bytes that they move, or all of these as they were measured; the layer around the
// attention by its FLOPs.
#pragma once

#include <span>

#include "harness/compile/compile.h"
#include "harness/compile/program.h"
#include "harness/cost/kernel_time.h"
#include "harness/machines/cluster_model.h"
#include "harness/machines/profile.h"
#include "harness/simulate/schedule.h"

namespace cpbench {

struct Costs {
  const AttentionShape& shape;
  const Plan& plan;  // says which messages are part of a collective
  const ClusterModel& machine;
  const KernelModel& kernel;  // not used if operations were measured
  const Profile& profile;
};

// One end of a message of the program.
struct MessageEnd {
  int32_t peer = 0;
  int32_t tag = 0;
  int64_t bytes = 0;
  int32_t task = 0;             // of a send: tasks that come before; of a receive: the waiting task
  int32_t pack = 0;             // of a send: packs that come before
  int32_t after_received = -1;  // of a send: index of the receive whose bytes it passes on
};

struct PricedRank {
  RankSchedule schedule;
  std::vector<MessageEnd> sends;
  std::vector<MessageEnd> receives;
};

// How much of a program it reads: an outline, unless the profile copies by slices.
Detail priced_detail(const KernelModel& kernel, const Profile& profile);

// `measured` has the seconds of each operation of the program except messages; empty: models give
// them.
PricedRank price(const RankProgram& program, Passes passes, const Costs& costs,
                 std::span<const double> measured = {});

}  // namespace cpbench
