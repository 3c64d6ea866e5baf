#include "harness/simulate/simgrid/simgrid_network.h"

#include <xbt/log.h>

#include <algorithm>
#include <limits>
#include <simgrid/simix.hpp>
#include <string>

namespace cpbench {
namespace {

namespace s4u = simgrid::s4u;

// SimGrid's second is our millisecond, because its precisions are absolute: it takes times closer
// than 1e-9 as one (here a picosecond, seldom more than a double resolves), and weights of 1e-5 as
// none (a message weighs 1 / latency).
constexpr double kPerSecond = 1e3;

// CM02 shares links by max-min fairness, weighted by latency; messages that meet have the same.
// Lazy updates would be faster, but miss links when several messages begin or end at one instant.
// All that the model adds for TCP over the Internet is off.
constexpr const char* kSettings[] = {
    "network/model:CM02",       "network/optim:Full",         "network/crosstraffic:no",
    "network/latency-factor:1", "network/bandwidth-factor:1", "network/weight-S:0",
    "network/TCP-gamma:1e30",
};

}  // namespace

SimgridNetwork::SimgridNetwork(const Machine& machine)
    : cluster_(machine.cluster), engine_("cpbench-simgrid"), arrival_(s4u::Semaphore::create(0)) {
  xbt_log_control_set("root.thres:warning");
  for (const char* setting : kSettings) s4u::Engine::set_config(setting);
  s4u::NetZone* zone = s4u::create_star_zone("cluster");
  const auto add_link = [&](const std::string& name, const Link& link) {
    s4u::Link* made = zone->create_link(name, link.bytes_per_second / kPerSecond);
    return made->set_latency(link.latency_seconds * kPerSecond)->seal();
  };
  const auto add_host = [&](const std::string& name, const Link& link, s4u::Link* uplink_out,
                            s4u::Link* uplink_in) {
    s4u::Host* host = zone->create_host(name, 1.0);
    std::vector<s4u::LinkInRoute> out = {s4u::LinkInRoute(add_link(name + " out", link))};
    if (uplink_out != nullptr) out.emplace_back(uplink_out);
    std::vector<s4u::LinkInRoute> in;
    if (uplink_in != nullptr) in.emplace_back(uplink_in);
    // A message's latency is paid once, on its way out.
    in.emplace_back(add_link(name + " in", {0, link.bytes_per_second}));
    zone->add_route(host->get_netpoint(), nullptr, nullptr, nullptr, out, false);
    zone->add_route(nullptr, host->get_netpoint(), nullptr, nullptr, in, false);
    return host;
  };
  for (int32_t node = 0; node < cluster_.nodes; ++node) {
    s4u::Link* uplink_out = nullptr;
    s4u::Link* uplink_in = nullptr;
    if (cluster_.nodes > 1 && machine.node_uplink_bytes_per_second > 0) {
      const Link uplink = {0, machine.node_uplink_bytes_per_second};
      uplink_out = add_link("uplink " + std::to_string(node) + " out", uplink);
      uplink_in = add_link("uplink " + std::to_string(node) + " in", uplink);
    }
    for (int32_t gpu = 0; gpu < cluster_.gpus_per_node; ++gpu) {
      const std::string rank = std::to_string(node * cluster_.gpus_per_node + gpu);
      if (cluster_.gpus_per_node > 1) {
        ports_.push_back(add_host("port " + rank, machine.intra_node, nullptr, nullptr));
      }
      if (cluster_.nodes > 1) {
        nics_.push_back(add_host("nic " + rank, machine.inter_node, uplink_out, uplink_in));
      }
    }
  }
  if (ports_.empty() && nics_.empty()) zone->create_host("alone", 1.0);
  zone->seal();
  s4u::Activity::on_completion_cb([this](const s4u::Activity& flow) { arrived(flow); });
}

void SimgridNetwork::simulate(const std::function<void()>& body) {
  std::exception_ptr error;
  s4u::Actor::create("engine", engine_.get_all_hosts().front(), [&] {
    try {
      body();
    } catch (const std::exception&) {
      error = std::current_exception();
    }
  });
  engine_.run();
  if (error) std::rethrow_exception(error);
}

void SimgridNetwork::start(int32_t id, int32_t from, int32_t to, int64_t bytes, double) {
  const std::vector<s4u::Host*>& hosts =
      cluster_.node_of(from) == cluster_.node_of(to) ? ports_ : nics_;
  pending_.push_back({hosts[from], hosts[to], bytes, id});
}

// As SimGrid's own context: it reports the completion of such flows without anyone waiting.
void SimgridNetwork::launch_pending() {
  if (pending_.empty()) return;
  simgrid::kernel::actor::simcall_answered([this] {
    for (const Message& message : pending_) {
      if (static_cast<size_t>(message.id) >= flows_.size()) flows_.resize(message.id + 1);
      s4u::CommPtr flow = s4u::Comm::sendto_init();
      flow->set_data(reinterpret_cast<void*>(static_cast<intptr_t>(message.id)));
      flow->set_payload_size(
          std::max<int64_t>(1, message.bytes));  // SimGrid sends no empty message
      flow->set_source(message.from)->set_destination(message.to);  // and goes
      flows_[message.id] = std::move(flow);
    }
  });
  in_flight_ += static_cast<int64_t>(pending_.size());
  pending_.clear();
}

void SimgridNetwork::arrived(const s4u::Activity& flow) {
  if (waiting_.empty()) arrival_->release();
  waiting_.push_back(static_cast<int32_t>(reinterpret_cast<intptr_t>(flow.get_data<void>())));
}

double SimgridNetwork::next_seconds(double due) {
  launch_pending();
  if (in_flight_ == 0 && due == std::numeric_limits<double>::infinity()) return due;
  while (waiting_.empty()) {
    if (due == std::numeric_limits<double>::infinity()) {
      arrival_->acquire();
      continue;
    }
    const double left = due * kPerSecond - s4u::Engine::get_clock();
    if (left <= 0 || arrival_->acquire_timeout(left)) return due;
  }
  return std::min(due, s4u::Engine::get_clock() / kPerSecond);
}

const std::vector<int32_t>& SimgridNetwork::advance(double) {
  told_.swap(waiting_);
  waiting_.clear();
  for (int32_t id : told_) flows_[id].reset();
  in_flight_ -= static_cast<int64_t>(told_.size());
  std::sort(told_.begin(), told_.end());
  return told_;
}

}  // namespace cpbench
