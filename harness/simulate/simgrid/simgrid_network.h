// The `simgrid` network: messages as SimGrid's flows over the machine's links, which share every
// link by max-min fairness. For comparison with `ports`, whose links are the same but whose ports
// share evenly: what a message cannot use of its share, because it is slower elsewhere, other
// messages get here and nobody gets there.
//
// Platform: a rank is two hosts around one switch, its port on the node's fabric and its NIC, each
// with a link in and a link out; the way of a NIC leads over its node's uplink where there is one.
// A NIC's link in is narrower while several ranks send to it, as in `ports`.
//
//   SimgridNetwork network(machine);
//   network.simulate([&] { execution = run(schedule, machine, profile, network); });
//
// SimGrid knows one simulation per process; so does this class.
#pragma once

#include <cstdint>
#include <functional>
#include <simgrid/s4u.hpp>
#include <string>
#include <vector>

#include "harness/machines/cluster_model.h"
#include "harness/simulate/network.h"

namespace cpbench {

class SimgridNetwork : public Network {
 public:
  explicit SimgridNetwork(const ClusterModel& machine);

  // Runs `body` in simulated time, which is where the other functions may be called.
  void simulate(const std::function<void()>& body);

  void start(int32_t id, int32_t from, int32_t to, int64_t bytes, double now) override;
  double next_seconds(double due) override;
  const std::vector<int32_t>& advance(double seconds) override;

 private:
  struct Message {
    int32_t from = 0;
    int32_t to = 0;
    int64_t bytes = 0;
    double begin = 0;  // by SimGrid's clock, when its latency is paid
    simgrid::s4u::CommPtr flow;
  };
  struct Uplink {
    simgrid::s4u::Link* out = nullptr;
    simgrid::s4u::Link* in = nullptr;
  };

  void make_platform();
  simgrid::s4u::Link* add_link(const std::string& name, const Link& link);
  simgrid::s4u::Host* add_host(const std::string& name, const Link& link, const Uplink& uplink);
  double received_bandwidth(int32_t rank, double bandwidth) const;  // of its NIC, now

  bool near(const Message& message) const;
  void launch_pending();
  void arrived(const simgrid::s4u::Activity& flow);  // called by SimGrid

  const ClusterModel machine_;
  simgrid::s4u::Engine engine_;
  simgrid::s4u::NetZone* zone_ = nullptr;
  std::vector<simgrid::s4u::Host*> ports_;  // by rank; empty where nodes have one GPU
  std::vector<simgrid::s4u::Host*> nics_;   // by rank; empty on one node
  simgrid::s4u::SemaphorePtr arrival_;
  std::vector<Message> messages_;               // by id
  std::vector<int32_t> pending_;                // started at this instant
  std::vector<std::vector<int32_t>> incoming_;  // by rank, in flight to its NIC
  std::vector<int32_t> waiting_;                // arrived, not yet told of
  std::vector<int32_t> told_;
  int64_t in_flight_ = 0;
};

}  // namespace cpbench
