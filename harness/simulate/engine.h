// Runs a Schedule by the rules in schedule.h: ranks work through their tasks, exchanges wait for
// both ends, and the network says when bytes arrive. The communication of a rank is at most
// `lookahead` steps ahead of its tasks.
#pragma once

#include <cstdint>
#include <vector>

#include "harness/machines/cluster_model.h"
#include "harness/machines/profile.h"
#include "harness/simulate/network.h"
#include "harness/simulate/schedule.h"

namespace cpbench {

struct WorkSeconds {
  double attention = 0;
  double copies = 0;  // and merges
  double layer = 0;
  double host = 0;  // waiting for it
  bool operator==(const WorkSeconds&) const = default;
};

struct Execution {
  std::vector<double> end_seconds;  // by rank: the end of its last task
  // By rank, then by time; those of Activity::transfer come last. Only of Portion::whole.
  std::vector<Event> events;
  std::vector<WorkSeconds> work;  // by rank; only of Portion::work
};

// What a rank takes part in, exchange by exchange.
struct RankExchanges {
  struct Own {
    int32_t exchange = 0;
    int32_t first = 0;  // its transfers are [first, last) of RankExchanges::transfers
    int32_t last = 0;
    int32_t enter_task = 0;  // number of tasks that must be done before the rank may enter
  };
  std::vector<Own> all;
  std::vector<int32_t> transfers;
  // By number of tasks done: whether a step begins, or a send or a pack of the rank waits for it.
  std::vector<bool> awaited;
};
// By rank.
std::vector<RankExchanges> exchanges_by_rank(const Schedule& schedule);

// Over the network `ports`; if only work takes time, over one in which messages take none. Several
// portions of a schedule share what exchanges_by_rank returns.
Execution run(const Schedule& schedule, const std::vector<RankExchanges>& exchanges,
              const ClusterModel& machine, const Profile& profile,
              Portion portion = Portion::whole);
Execution run(const Schedule& schedule, const ClusterModel& machine, const Profile& profile,
              Portion portion = Portion::whole);
// Over any network of that cluster, in which nothing is in flight.
Execution run(const Schedule& schedule, const ClusterModel& machine, const Profile& profile,
              Network& network, Portion portion = Portion::whole);

}  // namespace cpbench
