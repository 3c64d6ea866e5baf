// The `ports` network: every rank has a port out and a port in on its node's fabric, and a NIC out
// and in for other nodes; nodes may have an uplink that is narrower than their NICs. A port is
// shared evenly by the messages in flight through it; a message goes at the slowest of its shares.
// A NIC to which several send at once receives at the efficiency that an all-to-all reaches there.
//
//   Ports ports(machine);
//   ports.start(7, from, to, bytes, now);              // its latency is paid first
//   ports.next_seconds();                              // when something happens next
//   for (int32_t id : ports.advance(seconds)) ...      // arrived by then
//
// Deterministic: what happens at one instant is handled together, by ascending id.
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
  double next_seconds() const { return due_.first_seconds(); }  // infinity: nothing is in flight
  double next_seconds(double due) override { return std::min(due, next_seconds()); }
  const std::vector<int32_t>& advance(double seconds) override;

 private:
  static constexpr int kPorts = 4;  // at most, of one message: NIC and uplink on both sides
  struct Port {
    double bytes_per_second = 0;
    bool receives = false;  // from other nodes
    bool touched = false;
    double share = 0;  // bytes/s of each message through it
    std::vector<int32_t> flows{};
  };
  struct Flow {
    double remaining_bytes = 0;
    double rate = 0;  // bytes/s; 0: still in its latency
    double updated_seconds = 0;
    int32_t from = 0;
    std::array<int32_t, kPorts> ports{-1, -1, -1, -1};
    std::array<int32_t, kPorts> places{};  // in Port::flows
  };
  Flow& flow_of(int32_t id) { return flows_[slots_[id]]; }
  void enter(int32_t id);
  void leave(int32_t id);
  void touch(int32_t port);
  void divide(Port& port);
  void share_anew(double now);  // of all messages through touched ports

  const Cluster cluster_;
  Link intra_, inter_;
  double contention_;
  std::vector<Port> ports_;     // by kind: intra out, in, NIC out, in, uplink out, in
  std::vector<Flow> flows_;     // in flight, or free
  std::vector<int32_t> slots_;  // by id, in flows_
  std::vector<int32_t> free_;   // of flows_
  std::vector<int32_t> touched_;
  std::vector<int32_t> arrived_;
  DueTimes due_;  // when a message's latency or its last byte is over
};

}  // namespace cpbench
