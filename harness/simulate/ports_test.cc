#include "harness/simulate/ports.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <map>
#include <set>

namespace cpbench {
namespace {

struct Message {
  int32_t from, to;
  int64_t bytes;
  double start;
};

ClusterModel cluster_of(int32_t nodes, int32_t gpus) {
  ClusterModel machine;
  machine.cluster.nodes = nodes;
  machine.cluster.gpus_per_node = gpus;
  machine.intra_node = {1e-6, 100e9};
  machine.inter_node = {5e-6, 40e9};
  return machine;
}

// When each message arrives.
std::vector<double> arrivals(const ClusterModel& machine, const std::vector<Message>& messages) {
  Ports ports(machine);
  std::vector<double> seconds(messages.size(), -1);
  std::vector<size_t> order(messages.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return messages[a].start < messages[b].start; });
  size_t next = 0;
  while (true) {
    const double start =
        next < order.size() ? messages[order[next]].start : std::numeric_limits<double>::infinity();
    const double now = std::min(start, ports.next_seconds());
    if (now == std::numeric_limits<double>::infinity()) return seconds;
    for (int32_t id : ports.advance(now)) seconds[id] = now;
    for (; next < order.size() && messages[order[next]].start <= now; ++next) {
      const Message& m = messages[order[next]];
      ports.start(static_cast<int32_t>(order[next]), m.from, m.to, m.bytes, now);
    }
  }
}

// The same, with every rate computed again after every event.
std::vector<double> slow_arrivals(const ClusterModel& machine,
                                  const std::vector<Message>& messages) {
  struct State {
    double begin, remaining, rate = 0, arrived = -1;
  };
  const auto crosses = [&](const Message& m) {
    return machine.cluster.node_of(m.from) != machine.cluster.node_of(m.to);
  };
  std::vector<State> states;
  for (const Message& m : messages) {
    const Link& link = crosses(m) ? machine.inter_node : machine.intra_node;
    states.push_back({m.start + link.latency_seconds, static_cast<double>(m.bytes)});
  }
  double now = 0;
  const double efficiency = machine.inter_node_all_to_all_efficiency;
  while (true) {
    std::map<std::string, int> users;
    std::map<std::string, std::set<int32_t>> senders;
    const auto ports_of = [&](const Message& m) {
      const std::string kind = crosses(m) ? "nic" : "port";
      const double link = (crosses(m) ? machine.inter_node : machine.intra_node).bytes_per_second;
      std::vector<std::pair<std::string, double>> ports = {
          {kind + " in " + std::to_string(m.to), link}};
      if (crosses(m) && machine.pooled_nics) {
        ports.push_back({"nics out " + std::to_string(machine.cluster.node_of(m.from)),
                         machine.cluster.gpus_per_node * link});
      } else {
        ports.push_back({kind + " out " + std::to_string(m.from), link});
      }
      if (!crosses(m) && machine.pair_bytes_per_second > 0) {
        ports.push_back({"pair " + std::to_string(m.from) + " " + std::to_string(m.to),
                         machine.pair_bytes_per_second});
      }
      if (crosses(m) && machine.node_uplink_bytes_per_second > 0) {
        const double uplink = machine.node_uplink_bytes_per_second;
        ports.push_back({"up " + std::to_string(machine.cluster.node_of(m.from)), uplink});
        ports.push_back({"down " + std::to_string(machine.cluster.node_of(m.to)), uplink});
      }
      return ports;
    };
    const auto active = [&](const State& s) { return s.begin <= now && s.arrived < 0; };
    for (size_t i = 0; i < messages.size(); ++i) {
      if (!active(states[i])) continue;
      for (const auto& [name, capacity] : ports_of(messages[i])) {
        ++users[name];
        senders[name].insert(messages[i].from);
      }
    }
    double next = std::numeric_limits<double>::infinity();
    for (size_t i = 0; i < messages.size(); ++i) {
      State& s = states[i];
      if (s.arrived < 0 && s.begin > now) next = std::min(next, s.begin);
      if (!active(s)) continue;
      s.rate = std::numeric_limits<double>::infinity();
      for (const auto& [name, capacity] : ports_of(messages[i])) {
        const bool contended = senders[name].size() > 1 && name.starts_with("nic in");
        s.rate = std::min(s.rate, capacity * (contended ? efficiency : 1) / users[name]);
      }
      next = std::min(next, now + s.remaining / s.rate);
    }
    if (next == std::numeric_limits<double>::infinity()) break;
    for (State& s : states) {
      if (!active(s)) continue;
      s.remaining -= s.rate * (next - now);
      if (s.remaining < 1e-3) s.arrived = next;
    }
    now = next;
  }
  std::vector<double> seconds;
  for (const State& s : states) seconds.push_back(s.arrived);
  return seconds;
}

TEST(Ports, OneMessagePaysLatencyAndBandwidth) {
  const ClusterModel machine = cluster_of(2, 2);
  EXPECT_DOUBLE_EQ(arrivals(machine, {{0, 1, 1'000'000, 0}})[0], 1e-6 + 1e6 / 100e9);
  EXPECT_DOUBLE_EQ(arrivals(machine, {{0, 2, 1'000'000, 0}})[0], 5e-6 + 1e6 / 40e9);
  EXPECT_DOUBLE_EQ(arrivals(machine, {{0, 1, 0, 2.5}})[0], 2.5 + 1e-6);
}

TEST(Ports, BothDirectionsAtOnceDoNotShare) {
  const auto seconds = arrivals(cluster_of(1, 2), {{0, 1, 1 << 20, 0}, {1, 0, 1 << 20, 0}});
  EXPECT_DOUBLE_EQ(seconds[0], 1e-6 + (1 << 20) / 100e9);
  EXPECT_DOUBLE_EQ(seconds[1], seconds[0]);
}

TEST(Ports, ManyToOneSharesThePortOfTheReceiver) {
  std::vector<Message> messages;
  for (int32_t from = 1; from < 8; ++from) messages.push_back({from, 0, 1'000'000, 0});
  for (double seconds : arrivals(cluster_of(1, 8), messages)) {
    EXPECT_NEAR(seconds, 1e-6 + 7e6 / 100e9, 1e-12);
  }
}

TEST(Ports, AllToAllAtOnceFillsEveryPort) {
  std::vector<Message> messages;
  for (int32_t from = 0; from < 16; ++from) {
    for (int32_t to = 0; to < 16; ++to) {
      if (from != to) messages.push_back({from, to, 1'000'000, 0});
    }
  }
  for (double seconds : arrivals(cluster_of(1, 16), messages)) {
    EXPECT_NEAR(seconds, 1e-6 + 15e6 / 100e9, 1e-12);
  }
}

TEST(Ports, ANarrowUplinkIsSharedByTheNode) {
  ClusterModel machine = cluster_of(2, 4);
  machine.node_uplink_bytes_per_second = 80e9;  // as much as two NICs, for four ranks
  std::vector<Message> messages;
  for (int32_t rank = 0; rank < 4; ++rank) messages.push_back({rank, 4 + rank, 1'000'000, 0});
  for (double seconds : arrivals(machine, messages)) {
    EXPECT_NEAR(seconds, 5e-6 + 4e6 / 80e9, 1e-12);
  }
}

TEST(Ports, PooledNicsLetOneRankSendThroughAllOfItsNode) {
  ClusterModel machine = cluster_of(2, 4);
  std::vector<Message> messages;
  for (int32_t to = 4; to < 8; ++to) messages.push_back({0, to, 1'000'000, 0});
  EXPECT_NEAR(arrivals(machine, messages)[0], 5e-6 + 4e6 / 40e9, 1e-12);
  machine.pooled_nics = true;
  for (double seconds : arrivals(machine, messages)) EXPECT_NEAR(seconds, 5e-6 + 1e6 / 40e9, 1e-12);
  machine.node_uplink_bytes_per_second = 80e9;
  EXPECT_NEAR(arrivals(machine, messages)[0], 5e-6 + 4e6 / 80e9, 1e-12);
  // They still arrive at the receiver's own NIC.
  EXPECT_NEAR(arrivals(machine, {{0, 4, 1'000'000, 0}, {1, 4, 1'000'000, 0}})[0], 5e-6 + 2e6 / 40e9,
              1e-12);
}

TEST(Ports, InAMeshTwoRanksShareTheLinkBetweenThem) {
  ClusterModel machine = cluster_of(1, 4);
  machine.pair_bytes_per_second = 20e9;
  const auto seconds =
      arrivals(machine, {{0, 1, 1'000'000, 0}, {0, 2, 1'000'000, 0}, {1, 0, 1'000'000, 0}});
  for (double each : seconds) EXPECT_NEAR(each, 1e-6 + 1e6 / 20e9, 1e-12);
}

TEST(Ports, SeveralSendersFromOtherNodesContendForTheReceiver) {
  ClusterModel machine = cluster_of(3, 1);
  machine.inter_node_all_to_all_efficiency = 0.5;
  EXPECT_DOUBLE_EQ(arrivals(machine, {{0, 2, 1'000'000, 0}})[0], 5e-6 + 1e6 / 40e9);
  for (double seconds : arrivals(machine, {{0, 2, 1'000'000, 0}, {1, 2, 1'000'000, 0}})) {
    EXPECT_NEAR(seconds, 5e-6 + 2e6 / 20e9, 1e-12);
  }
}

TEST(Ports, TwoMessagesOfOneSenderDoNotContend) {
  ClusterModel machine = cluster_of(2, 1);
  machine.inter_node_all_to_all_efficiency = 0.5;
  for (double seconds : arrivals(machine, {{0, 1, 1'000'000, 0}, {0, 1, 1'000'000, 0}})) {
    EXPECT_NEAR(seconds, 5e-6 + 2e6 / 40e9, 1e-12);
  }
}

TEST(Ports, AMessageThatEndsGivesItsShareAway) {
  // Both share the port of rank 0 until the short one has arrived.
  const auto seconds = arrivals(cluster_of(1, 3), {{0, 1, 1'000'000, 0}, {0, 2, 3'000'000, 0}});
  EXPECT_NEAR(seconds[0], 1e-6 + 2e6 / 100e9, 1e-12);
  EXPECT_NEAR(seconds[1], 1e-6 + 4e6 / 100e9, 1e-12);
}

TEST(Ports, AgreesWithRatesComputedAgainAfterEveryEvent) {
  for (uint32_t seed = 1; seed <= 20; ++seed) {
    uint32_t state = seed * 2654435761u;
    const auto random = [&](uint32_t bound) {
      state = state * 1664525u + 1013904223u;
      return static_cast<int32_t>((state >> 8) % bound);
    };
    ClusterModel machine = cluster_of(1 + random(3), 1 + random(4));
    if (random(2) == 1) machine.node_uplink_bytes_per_second = 60e9;
    if (random(2) == 1) machine.inter_node_all_to_all_efficiency = 0.6;
    if (random(3) == 1) machine.pair_bytes_per_second = 40e9;
    if (random(3) == 1) machine.pooled_nics = true;
    const int32_t ranks = machine.cluster.ranks();
    if (ranks == 1) continue;
    std::vector<Message> messages;
    for (int i = 0; i < 40; ++i) {
      const int32_t from = random(ranks);
      const int32_t to = (from + 1 + random(ranks - 1)) % ranks;
      messages.push_back({from, to, 1 + random(3'000'000), 1e-6 * random(100)});
    }
    const auto fast = arrivals(machine, messages);
    const auto slow = slow_arrivals(machine, messages);
    for (size_t i = 0; i < messages.size(); ++i) {
      EXPECT_NEAR(fast[i], slow[i], 1e-9) << "seed " << seed << " message " << i;
    }
  }
}

}  // namespace
}  // namespace cpbench
