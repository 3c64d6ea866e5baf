// The links of the cluster as links of SimGrid.
#include <string>

#include "harness/simulate/simgrid/simgrid_network.h"
#include "harness/simulate/simgrid/units.h"

namespace cpbench {

namespace s4u = simgrid::s4u;

void SimgridNetwork::make_platform() {
  const Cluster& cluster = machine_.cluster;
  Uplink uplink;  // of the node of the rank
  for (int32_t rank = 0; rank < cluster.ranks(); ++rank) {
    const bool first_of_node = rank % cluster.gpus_per_node == 0;
    if (first_of_node && cluster.nodes > 1 && machine_.node_uplink_bytes_per_second > 0) {
      const std::string name = "uplink " + std::to_string(cluster.node_of(rank));
      const Link link = {0, machine_.node_uplink_bytes_per_second};
      uplink = {add_link(name + " out", link), add_link(name + " in", link)};
    }
    if (cluster.gpus_per_node > 1) {
      ports_.push_back(add_host("port " + std::to_string(rank), machine_.intra_node, {}));
    }
    if (cluster.nodes > 1) {
      const std::string name = "nic " + std::to_string(rank);
      nics_.push_back(add_host(name, machine_.inter_node, uplink));
      if (machine_.inter_node_all_to_all_efficiency == 1) continue;
      s4u::Link::by_name(name + " in")
          ->set_sharing_policy(
              s4u::Link::SharingPolicy::NONLINEAR,
              [this, rank](double bandwidth, int) { return received_bandwidth(rank, bandwidth); });
    }
  }
  if (cluster.ranks() == 1) zone_->create_host("only", 1);
  zone_->seal();
}

s4u::Link* SimgridNetwork::add_link(const std::string& name, const Link& link) {
  return zone_->create_link(name, link.bytes_per_second / kSimgridPerSecond)
      ->set_latency(link.latency_seconds * kSimgridPerSecond);
}

s4u::Host* SimgridNetwork::add_host(const std::string& name, const Link& link,
                                    const Uplink& uplink) {
  s4u::Host* host = zone_->create_host(name, 1);
  std::vector<s4u::LinkInRoute> out, in;
  out.emplace_back(add_link(name + " out", link));
  if (uplink.out != nullptr) out.emplace_back(uplink.out);
  if (uplink.in != nullptr) in.emplace_back(uplink.in);
  // The latency of a message is counted once, on its way out.
  in.emplace_back(add_link(name + " in", {0, link.bytes_per_second}));
  zone_->add_route(host->get_netpoint(), nullptr, nullptr, nullptr, out, false);
  zone_->add_route(nullptr, host->get_netpoint(), nullptr, nullptr, in, false);
  return host;
}

}  // namespace cpbench
