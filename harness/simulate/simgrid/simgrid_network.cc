#include "harness/simulate/simgrid/simgrid_network.h"

#include <xbt/log.h>

#include <algorithm>
#include <limits>
#include <simgrid/simix.hpp>

#include "harness/simulate/simgrid/units.h"

namespace cpbench {
namespace {

namespace s4u = simgrid::s4u;

// CM02 shares links by max-min fairness, weighted by latency, which is the same for messages that
// share a link. Lazy updates would miss links if several messages begin or end at one instant.
// Everything that the model adds for TCP over the Internet is off.
constexpr const char* kSettings[] = {
    "network/model:CM02",       "network/optim:Full",         "network/crosstraffic:no",
    "network/latency-factor:1", "network/bandwidth-factor:1", "network/weight-S:0",
    "network/TCP-gamma:1e30",
};

constexpr double kNever = std::numeric_limits<double>::infinity();

}  // namespace

SimgridNetwork::SimgridNetwork(const ClusterModel& machine)
    : machine_(machine),
      engine_("cpbench-simgrid"),
      arrival_(s4u::Semaphore::create(0)),
      incoming_(machine.cluster.ranks()) {
  xbt_log_control_set("root.thres:warning");
  for (const char* setting : kSettings) s4u::Engine::set_config(setting);
  zone_ = s4u::create_star_zone("cluster");  // after this, the model cannot be changed
  make_platform();
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

bool SimgridNetwork::near(const Message& message) const {
  return machine_.cluster.node_of(message.from) == machine_.cluster.node_of(message.to);
}

void SimgridNetwork::start(int32_t id, int32_t from, int32_t to, int64_t bytes, double) {
  if (static_cast<size_t>(id) >= messages_.size()) messages_.resize(id + 1);
  messages_[id] = {from, to, bytes, 0, nullptr};
  pending_.push_back(id);
}

// Runs in SimGrid's own context, so that SimGrid reports each arrival although no actor waits for
// it.
void SimgridNetwork::launch_pending() {
  if (pending_.empty()) return;
  simgrid::kernel::actor::simcall_answered([this] {
    for (int32_t id : pending_) {
      Message& message = messages_[id];
      if (!near(message)) {
        message.begin =
            s4u::Engine::get_clock() + machine_.inter_node.latency_seconds * kSimgridPerSecond;
        incoming_[message.to].push_back(id);
      }
      const std::vector<s4u::Host*>& hosts = near(message) ? ports_ : nics_;
      message.flow = s4u::Comm::sendto_init();
      message.flow->set_data(reinterpret_cast<void*>(static_cast<intptr_t>(id)));
      // SimGrid does not support empty messages.
      message.flow->set_payload_size(std::max<int64_t>(1, message.bytes));
      message.flow->set_source(hosts[message.from])->set_destination(hosts[message.to]);
    }
  });
  in_flight_ += static_cast<int64_t>(pending_.size());
  pending_.clear();
}

void SimgridNetwork::arrived(const s4u::Activity& flow) {
  const auto id = static_cast<int32_t>(reinterpret_cast<intptr_t>(flow.get_data<void>()));
  if (!near(messages_[id])) std::erase(incoming_[messages_[id].to], id);
  if (waiting_.empty()) arrival_->release();
  waiting_.push_back(id);
}

double SimgridNetwork::received_bandwidth(int32_t rank, double bandwidth) const {
  constexpr double kSameInstant = 1e-8;  // of SimGrid's clock
  const double now = s4u::Engine::get_clock() + kSameInstant;
  int32_t sender = -1;
  for (int32_t id : incoming_[rank]) {
    const Message& message = messages_[id];
    if (message.begin > now) continue;
    if (sender >= 0 && message.from != sender) {
      return bandwidth * machine_.inter_node_all_to_all_efficiency;
    }
    sender = message.from;
  }
  return bandwidth;
}

double SimgridNetwork::next_seconds(double due) {
  launch_pending();
  if (in_flight_ == 0 && due == kNever) return kNever;
  while (waiting_.empty()) {
    if (due == kNever) {
      arrival_->acquire();
      continue;
    }
    const double left = due * kSimgridPerSecond - s4u::Engine::get_clock();
    if (left <= 0 || arrival_->acquire_timeout(left)) return due;
  }
  return std::min(due, s4u::Engine::get_clock() / kSimgridPerSecond);
}

const std::vector<int32_t>& SimgridNetwork::advance(double) {
  reported_.swap(waiting_);
  waiting_.clear();
  for (int32_t id : reported_) messages_[id].flow.reset();
  in_flight_ -= static_cast<int64_t>(reported_.size());
  std::sort(reported_.begin(), reported_.end());
  return reported_;
}

}  // namespace cpbench
