// A slow oracle of the simgrid network: max-min shares by progressive filling, computed again
// after every event.
#pragma once

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <vector>

#include "tests/simulate/messages.h"

namespace cpbench {

// A link is named by its kind (0 port, 2 NIC, 4 uplink; +1 for the link in) and its rank or node.
using LinkName = std::pair<int, int32_t>;

inline std::map<LinkName, double> links_of(const TimedMessage& m, const ClusterModel& machine) {
  const int32_t from_node = machine.cluster.node_of(m.from);
  const int32_t to_node = machine.cluster.node_of(m.to);
  if (from_node == to_node) {
    const double port = machine.intra_node.bytes_per_second;
    return {{{0, m.from}, port}, {{1, m.to}, port}};
  }
  const double nic = machine.inter_node.bytes_per_second;
  std::map<LinkName, double> links = {{{2, m.from}, nic}, {{3, m.to}, nic}};
  if (const double uplink = machine.node_uplink_bytes_per_second; uplink > 0) {
    links[{4, from_node}] = uplink;
    links[{5, to_node}] = uplink;
  }
  return links;
}

// The rates of the messages in flight. All rates rise together; a rate stops when one of its links
// is full.
inline std::map<int32_t, double> max_min_rates(const std::vector<TimedMessage>& messages,
                                               const std::vector<int32_t>& in_flight,
                                               const ClusterModel& machine) {
  std::map<LinkName, double> left;
  std::map<int32_t, std::set<int32_t>> senders;  // to each NIC
  for (int32_t i : in_flight) {
    for (const auto& [name, capacity] : links_of(messages[i], machine)) {
      left[name] = capacity;
      if (name.first == 3) senders[name.second].insert(messages[i].from);
    }
  }
  for (const auto& [rank, from] : senders) {
    if (from.size() > 1) left[{3, rank}] *= machine.inter_node_all_to_all_efficiency;
  }
  std::vector<int32_t> rising = in_flight;
  std::map<int32_t, double> rates;
  while (!rising.empty()) {
    std::map<LinkName, int> users;
    for (int32_t i : rising) {
      for (const auto& [name, capacity] : links_of(messages[i], machine)) ++users[name];
    }
    double more = std::numeric_limits<double>::infinity();
    for (const auto& [name, count] : users) more = std::min(more, left[name] / count);
    for (const auto& [name, count] : users) left[name] -= more * count;
    for (int32_t i : rising) rates[i] += more;
    std::erase_if(rising, [&](int32_t i) {
      const auto links = links_of(messages[i], machine);
      return std::any_of(links.begin(), links.end(),
                         [&](const auto& link) { return left[link.first] <= 1e-9 * link.second; });
    });
  }
  return rates;
}

inline std::vector<double> max_min_arrivals(const std::vector<TimedMessage>& messages,
                                            const ClusterModel& machine) {
  std::vector<double> begin, remaining, arrived(messages.size(), -1);
  for (const TimedMessage& m : messages) {
    const bool near = machine.cluster.node_of(m.from) == machine.cluster.node_of(m.to);
    const Link& link = near ? machine.intra_node : machine.inter_node;
    begin.push_back(m.start_seconds + link.latency_seconds);
    remaining.push_back(static_cast<double>(m.bytes));
  }
  double now = 0;
  while (true) {
    std::vector<int32_t> in_flight;
    double next = std::numeric_limits<double>::infinity();
    for (size_t i = 0; i < messages.size(); ++i) {
      if (arrived[i] >= 0) continue;
      if (begin[i] > now) {
        next = std::min(next, begin[i]);
      } else {
        in_flight.push_back(static_cast<int32_t>(i));
      }
    }
    const auto rates = max_min_rates(messages, in_flight, machine);
    for (const auto& [i, rate] : rates) next = std::min(next, now + remaining[i] / rate);
    if (next == std::numeric_limits<double>::infinity()) return arrived;
    for (const auto& [i, rate] : rates) {
      remaining[i] -= rate * (next - now);
      if (remaining[i] < 1e-3) arrived[i] = next;
    }
    now = next;
  }
}

}  // namespace cpbench
