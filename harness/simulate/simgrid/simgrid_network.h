// The `simgrid` network: messages as SimGrid's flows over the machine's links, which share every
// link by max-min fairness. For comparison with `ports`, whose links are the same but whose ports
// share evenly: what a message cannot use of its share, because it is slower elsewhere, other
// messages get here and nobody gets there.
//
// Platform: a rank is two hosts around one switch, its port on the node's fabric and its NIC, each
// with a link in and a link out; the way of a NIC leads over its node's uplink where there is one.
//
//   SimgridNetwork network(machine);
//   network.simulate([&] { execution = run(schedule, machine, profile, network); });
//
// SimGrid knows one simulation per process; so does this class.
#pragma once

#include <cstdint>
#include <functional>
#include <simgrid/s4u.hpp>
#include <vector>

#include "harness/cost/machine.h"
#include "harness/simulate/network.h"

namespace cpbench {

class SimgridNetwork : public Network {
 public:
  explicit SimgridNetwork(const Machine& machine);

  // Runs `body` in simulated time, which is where the other functions may be called.
  void simulate(const std::function<void()>& body);

  void start(int32_t id, int32_t from, int32_t to, int64_t bytes, double now) override;
  double next_seconds(double due) override;
  const std::vector<int32_t>& advance(double seconds) override;

 private:
  struct Message {
    simgrid::s4u::Host* from;
    simgrid::s4u::Host* to;
    int64_t bytes;
    int32_t id;
  };

  void launch_pending();
  void arrived(const simgrid::s4u::Activity& flow);  // called by SimGrid

  const Cluster cluster_;
  simgrid::s4u::Engine engine_;
  std::vector<simgrid::s4u::Host*> ports_;  // by rank; empty where nodes have one GPU
  std::vector<simgrid::s4u::Host*> nics_;   // by rank; empty on one node
  simgrid::s4u::SemaphorePtr arrival_;
  std::vector<Message> pending_;              // started at this instant
  std::vector<simgrid::s4u::CommPtr> flows_;  // by id, while in flight
  std::vector<int32_t> waiting_;              // arrived, not yet told of
  std::vector<int32_t> told_;
  int64_t in_flight_ = 0;
};

}  // namespace cpbench
