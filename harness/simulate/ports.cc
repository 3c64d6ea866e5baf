#include "harness/simulate/ports.h"

#include <algorithm>
#include <limits>

namespace cpbench {
namespace {

// Instants that differ by less than this share of the time are the same: rounding must not separate
// them.
constexpr double kSameInstant = 1e-12;
constexpr size_t kFlowsAhead = 8;

}  // namespace

Ports::Ports(const ClusterModel& machine)
    : cluster_(machine.cluster),
      intra_(machine.intra_node),
      inter_(machine.inter_node),
      contention_(machine.inter_node_all_to_all_efficiency),
      pooled_(machine.pooled_nics) {
  const int32_t ranks = cluster_.ranks();
  const auto add = [&](int32_t count, double bytes_per_second, bool receives = false) {
    for (int32_t i = 0; i < count; ++i) ports_.push_back({bytes_per_second, receives});
  };
  add(2 * ranks, intra_.bytes_per_second);
  add(ranks, inter_.bytes_per_second);
  add(ranks, inter_.bytes_per_second, true);
  const double nics = cluster_.gpus_per_node * inter_.bytes_per_second;
  const double uplink = machine.node_uplink_bytes_per_second;
  add(cluster_.nodes, pooled_ ? (uplink > 0 ? std::min(uplink, nics) : nics) : uplink);
  add(cluster_.nodes, uplink);
  if (machine.pair_bytes_per_second > 0) {
    add(ranks * cluster_.gpus_per_node, machine.pair_bytes_per_second);
  }
}

void Ports::start(int32_t id, int32_t from, int32_t to, int64_t bytes, double now) {
  if (static_cast<size_t>(id) >= slots_.size()) slots_.resize(id + 1);
  if (free_.empty()) {
    free_.push_back(static_cast<int32_t>(flows_.size()));
    flows_.emplace_back();
  }
  slots_[id] = free_.back();
  free_.pop_back();
  Flow& flow = flows_[slots_[id]];
  flow = {.remaining_bytes = static_cast<double>(bytes), .id = id, .from = from};
  const int32_t ranks = cluster_.ranks();
  const int32_t from_node = cluster_.node_of(from), to_node = cluster_.node_of(to);
  const int32_t uplinks = 4 * ranks, pairs = uplinks + 2 * cluster_.nodes;
  int k = 0;
  const auto through = [&](int32_t port) { flow.ports[k++] = port; };
  double latency = intra_.latency_seconds;
  if (from_node == to_node) {
    through(from);
    through(ranks + to);
    if (pairs < std::ssize(ports_)) {
      through(pairs + from * cluster_.gpus_per_node + to % cluster_.gpus_per_node);
    }
  } else {
    latency = inter_.latency_seconds;
    if (!pooled_) through(2 * ranks + from);
    through(3 * ranks + to);
    for (const int32_t port : {uplinks + from_node, uplinks + cluster_.nodes + to_node}) {
      if (ports_[port].bytes_per_second > 0) through(port);
    }
  }
  due_.set(id, now + latency);
}

const std::vector<int32_t>& Ports::advance(double seconds) {
  arrived_.clear();
  const double until = seconds * (1 + kSameInstant);
  while (due_.first_seconds() <= until) {
    const int32_t id = due_.first_id();
    due_.remove_first();
    const int32_t slot = slots_[id];
    Flow& flow = flows_[slot];
    if (flow.rate == 0) {
      enter(slot);
      flow.updated_seconds = seconds;
    } else {
      leave(slot);
      free_.push_back(slot);
      arrived_.push_back(id);
    }
  }
  update_rates(seconds);
  std::sort(arrived_.begin(), arrived_.end());
  return arrived_;
}

void Ports::touch(int32_t port) {
  if (ports_[port].touched) return;
  ports_[port].touched = true;
  touched_.push_back(port);
}

void Ports::enter(int32_t slot) {
  Flow& flow = flows_[slot];
  for (int k = 0; k < kPorts && flow.ports[k] >= 0; ++k) {
    Port& port = ports_[flow.ports[k]];
    flow.places[k] = static_cast<int32_t>(port.flows.size());
    port.flows.push_back(slot);
    touch(flow.ports[k]);
  }
}

void Ports::leave(int32_t slot) {
  const Flow& flow = flows_[slot];
  for (int k = 0; k < kPorts && flow.ports[k] >= 0; ++k) {
    std::vector<int32_t>& flows = ports_[flow.ports[k]].flows;
    Flow& moved = flows_[flows.back()];
    for (int other = 0; other < kPorts; ++other) {
      if (moved.ports[other] == flow.ports[k]) moved.places[other] = flow.places[k];
    }
    flows[flow.places[k]] = flows.back();
    flows.pop_back();
    touch(flow.ports[k]);
  }
}

void Ports::divide(Port& port) {
  if (port.flows.empty()) return;
  const auto from = [&](int32_t slot) { return flows_[slot].from; };
  const bool contended =
      port.receives && std::any_of(port.flows.begin(), port.flows.end(),
                                   [&](int32_t slot) { return from(slot) != from(port.flows[0]); });
  port.share = port.bytes_per_second * (contended ? contention_ : 1) /
               static_cast<double>(port.flows.size());
}

void Ports::update_rates(double now) {
  for (int32_t port : touched_) divide(ports_[port]);
  for (int32_t port : touched_) {
    ports_[port].touched = false;
    const std::vector<int32_t>& flows = ports_[port].flows;
    for (size_t i = 0; i < flows.size(); ++i) {
      // Those of a full port are not in the cache.
      if (i + kFlowsAhead < flows.size()) __builtin_prefetch(&flows_[flows[i + kFlowsAhead]]);
      Flow& flow = flows_[flows[i]];
      double rate = std::numeric_limits<double>::infinity();
      for (int k = 0; k < kPorts && flow.ports[k] >= 0; ++k) {
        rate = std::min(rate, ports_[flow.ports[k]].share);
      }
      if (rate == flow.rate) continue;
      flow.remaining_bytes =
          std::max(0.0, flow.remaining_bytes - flow.rate * (now - flow.updated_seconds));
      flow.rate = rate;
      flow.updated_seconds = now;
      due_.set(flow.id, now + flow.remaining_bytes / rate);
    }
  }
  touched_.clear();
}

}  // namespace cpbench
