// The `ports` network. Every rank has a port out and a port in within its node, and a NIC out and a
// NIC in for other nodes; nodes may have an uplink that is slower than their NICs together. In a
// mesh, messages also share the link between their two ranks. With pooled NICs, messages leave
// through all NICs of their node instead of the sender's. The messages in flight through a port
// share it evenly, and a message has the rate of its smallest share. While several ranks send to a
// NIC, it receives with the efficiency of an all-to-all.
//
//   Ports ports(cluster);
//   ports.start(7, from, to, bytes, now);              // first its latency passes, then its bytes
//   ports.next_seconds();                              // the time of the next change
//   for (int32_t id : ports.advance(seconds)) ...      // these messages have arrived
//
// It is deterministic: everything that happens at one instant is handled together, by ascending id.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "harness/machines/cluster_model.h"
#include "harness/simulate/due_times.h"
#include "harness/simulate/network.h"

namespace cpbench {

class Ports : public Network {
 public:
  explicit Ports(const ClusterModel& machine);

  void start(int32_t id, int32_t from, int32_t to, int64_t bytes, double now) override;
  double next_seconds() const { return due_.first_seconds(); }  // infinity if nothing is in flight
  double next_seconds(double due) override { return std::min(due, next_seconds()); }
  const std::vector<int32_t>& advance(double seconds) override;

 private:
  static constexpr int kPorts = 4;  // of a message at most: NIC and uplink on both sides
  struct Port {
    double bytes_per_second = 0;
    bool receives = false;  // from other nodes
    bool touched = false;
    double share = 0;              // bytes/s of each message through it
    std::vector<int32_t> flows{};  // indices of flows_
  };
  struct Flow {
    double remaining_bytes = 0;
    double rate = 0;  // bytes/s; 0: still in its latency
    double updated_seconds = 0;
    int32_t id = 0;
    int32_t from = 0;
    std::array<int32_t, kPorts> ports{-1, -1, -1, -1};
    std::array<int32_t, kPorts> places{};  // in Port::flows
  };
  void enter(int32_t slot);
  void leave(int32_t slot);
  void touch(int32_t port);
  void divide(Port& port);
  void update_rates(double now);  // of all messages through touched ports

  const Cluster cluster_;
  Link intra_, inter_;
  double contention_;
  bool pooled_;
  // Intra out, intra in, NIC out, NIC in, uplink out, uplink in; in a mesh, each rank's links to
  // the ranks of its node.
  std::vector<Port> ports_;
  std::vector<Flow> flows_;     // in flight, or free for reuse
  std::vector<int32_t> slots_;  // by id, in flows_
  std::vector<int32_t> free_;   // of flows_
  std::vector<int32_t> touched_;
  std::vector<int32_t> arrived_;
  DueTimes due_;  // when the latency or the last byte of a message has passed
};

}  // namespace cpbench
