// The `simgrid` network: messages are flows of SimGrid over the links of the cluster, and flows
// share every link by max-min fairness. It is for comparison with `ports`, which has the same links
// but divides them evenly: if a message cannot use its share because it is slower elsewhere, other
// messages get the rest here, but not in `ports`.
//
// The platform is a star. A rank is two hosts, its port within the node and its NIC, each with a
// link in and a link out; the route of a NIC includes the uplink of its node, if there is one. The
// link into a NIC is slower while several ranks send to it, as in `ports`.
//
//   SimgridNetwork network(cluster);
//   network.simulate([&] { execution = run(schedule, cluster, profile, network); });
//
// SimGrid supports one simulation per process, and so does this class.
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

  // Runs `body` in simulated time. Only `body` may call the other functions.
  void simulate(const std::function<void()>& body);

  void start(int32_t id, int32_t from, int32_t to, int64_t bytes, double now) override;
  double next_seconds(double due) override;
  const std::vector<int32_t>& advance(double seconds) override;

 private:
  struct Message {
    int32_t from = 0;
    int32_t to = 0;
    int64_t bytes = 0;
    double begin = 0;  // when its latency has passed, by SimGrid's clock
    simgrid::s4u::CommPtr flow;
  };
  struct Uplink {
    simgrid::s4u::Link* out = nullptr;
    simgrid::s4u::Link* in = nullptr;
  };

  void make_platform();
  simgrid::s4u::Link* add_link(const std::string& name, const Link& link);
  simgrid::s4u::Host* add_host(const std::string& name, const Link& link, const Uplink& uplink);
  double received_bandwidth(int32_t rank, double bandwidth) const;  // current one of its NIC

  bool near(const Message& message) const;
  void launch_pending();
  void arrived(const simgrid::s4u::Activity& flow);  // called by SimGrid

  const ClusterModel machine_;
  simgrid::s4u::Engine engine_;
  simgrid::s4u::NetZone* zone_ = nullptr;
  std::vector<simgrid::s4u::Host*> ports_;  // by rank; empty if nodes have one GPU
  std::vector<simgrid::s4u::Host*> nics_;   // by rank; empty if there is one node
  simgrid::s4u::SemaphorePtr arrival_;
  std::vector<Message> messages_;               // by id
  std::vector<int32_t> pending_;                // started at this instant
  std::vector<std::vector<int32_t>> incoming_;  // by rank, in flight to its NIC
  std::vector<int32_t> waiting_;                // arrived, but not reported
  std::vector<int32_t> reported_;
  int64_t in_flight_ = 0;
};

}  // namespace cpbench
