#include "harness/chakra/chakra.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "harness/chakra/protobuf_message.h"

namespace cpbench {
namespace {

enum NodeType : uint8_t { kComp = 4, kSend = 5, kReceive = 6, kCollective = 7 };
enum CollectiveType : uint8_t { kAllGather = 2, kReduceScatter = 7 };

// The fields of AttributeProto that hold a value.
enum ValueField : uint8_t { kDouble = 3, kInt32 = 7, kInt64 = 9, kBool = 27 };
constexpr uint32_t kString = 29;

using Ids = std::vector<uint64_t>;

const char* name_of(Activity activity) {
  switch (activity) {
    case Activity::attention:
      return "attention";
    case Activity::merge:
      return "merge";
    case Activity::copy:
      return "copy";
    case Activity::layer:
      return "layer";
    case Activity::wait:
      return "wait";
    default:
      return "other";
  }
}

std::string step_name(const std::string& what, int32_t pass, int32_t step) {
  return what + (pass == 0 ? " forward step " : " backward step ") + std::to_string(step);
}

class Node {
 public:
  Node(uint64_t id, const std::string& name, NodeType type) {
    message_.number(1, id);
    message_.text(2, name);
    message_.number(3, type);
    attribute("is_cpu_op", kBool, 0);
  }
  void control(const Ids& ids) { message_.numbers(4, ids); }
  void data(const Ids& ids) { message_.numbers(5, ids); }
  void duration(double seconds) {
    message_.number(7, static_cast<uint64_t>(std::llround(seconds * 1e6)));
    ProtobufMessage value = named("duration_seconds");
    value.real(kDouble, seconds);
    message_.message(10, value);
  }
  void attribute(const std::string& name, ValueField field, uint64_t value) {
    ProtobufMessage attribute = named(name);
    attribute.number(field, value);
    message_.message(10, attribute);
  }
  void attribute(const std::string& name, const std::string& value) {
    ProtobufMessage attribute = named(name);
    attribute.text(kString, value);
    message_.message(10, attribute);
  }
  std::string delimited() const { return message_.delimited(); }

 private:
  static ProtobufMessage named(const std::string& name) {
    ProtobufMessage attribute;
    attribute.text(1, name);
    return attribute;
  }
  ProtobufMessage message_;
};

// The trace of one rank. Ids are given out first, so that a node may name one that is written
// later.
class Trace {
 public:
  Trace(const Schedule& schedule, int32_t rank, const std::vector<int32_t>& transfers)
      : schedule_(schedule), own_(schedule.ranks[rank]), rank_(rank), transfers_(transfers) {
    for (const int32_t id : transfers_) {
      const Transfer& transfer = schedule_.transfers[id];
      const bool is_call = transfer.collective >= 0;
      uint64_t& node = is_call ? calls_[transfer.collective] : communication_[id];
      if (node == 0) node = next_id_++;
      Ids& members = exchanges_[transfer.exchange].members;
      if (members.empty() || members.back() != node) members.push_back(node);
    }
    for (auto& [number, exchange] : exchanges_) exchange.entered = next_id_++;
  }

  std::string text() {
    ProtobufMessage metadata;
    metadata.text(1, "0.0.4");
    out_ = metadata.delimited();
    write_tasks();
    write_packs();
    write_exchanges();
    write_communication();
    return std::move(out_);
  }

 private:
  struct OwnExchange {
    uint64_t entered = 0;
    Ids members{};  // communication of the rank in it
  };

  // Tasks have the first ids, and then packs.
  uint64_t task(int32_t index) const { return 1 + static_cast<uint64_t>(index); }
  uint64_t pack(int32_t index) const {
    return 1 + own_.tasks.size() + static_cast<uint64_t>(index);
  }
  // What has ended when so many tasks, or packs, are done.
  Ids after_tasks(int32_t count) const { return count > 0 ? Ids{task(count - 1)} : Ids{}; }
  Ids after_packs(int32_t count) const { return count > 0 ? Ids{pack(count - 1)} : Ids{}; }

  uint64_t node_of(int32_t transfer) const {
    const int32_t collective = schedule_.transfers[transfer].collective;
    return collective >= 0 ? calls_.at(collective) : communication_.at(transfer);
  }

  // The number of tasks before the first step from which the exchange is at most `lookahead` away.
  int32_t tasks_before(const Exchange& exchange) const {
    const int32_t step = std::max(0, exchange.step - schedule_.lookahead[exchange.pass]);
    const auto start = std::ranges::find_if(own_.steps, [&](const StepStart& s) {
      return std::pair(s.pass, s.step) >= std::pair(exchange.pass, step);
    });
    return start == own_.steps.end() ? static_cast<int32_t>(own_.tasks.size()) : start->first_task;
  }

  void write(const Node& node) { out_ += node.delimited(); }

  void write_tasks() {
    for (int32_t i = 0; i < std::ssize(own_.tasks); ++i) {
      const Task& task = own_.tasks[i];
      Node node(this->task(i), step_name(name_of(task.activity), task.pass, task.step), kComp);
      node.control(after_tasks(i));
      if (task.arrival >= 0) node.data({node_of(task.arrival)});
      node.duration(task.arrival >= 0 ? 0 : task.seconds);
      write(node);
    }
  }

  void write_packs() {
    for (int32_t i = 0; i < std::ssize(own_.packs); ++i) {
      const Pack& pack = own_.packs[i];
      Node node(this->pack(i), step_name("pack", pack.pass, pack.step), kComp);
      Ids control = after_packs(i);
      control.push_back(exchanges_.at(pack.exchange).entered);
      node.control(control);
      node.data(after_tasks(pack.after_task));
      node.duration(pack.seconds);
      write(node);
    }
  }

  void write_exchanges() {
    const Ids none;
    const Ids* before = &none;
    for (const auto& [number, own] : exchanges_) {
      const Exchange& exchange = schedule_.exchanges[number];
      Node node(own.entered, step_name("exchange", exchange.pass, exchange.step), kComp);
      Ids control = *before;
      for (const uint64_t id : after_tasks(tasks_before(exchange))) control.push_back(id);
      node.control(control);
      node.duration(0);
      write(node);
      before = &own.members;
    }
  }

  void write_communication() {
    std::map<int32_t, Ids> inputs;  // of each collective
    for (const int32_t id : transfers_) {
      const Transfer& transfer = schedule_.transfers[id];
      const bool sends = transfer.from == rank_;
      Ids data;
      if (sends) {
        data = after_tasks(transfer.after_task);
        for (const uint64_t pack : after_packs(transfer.after_pack)) data.push_back(pack);
        if (transfer.after_transfer >= 0) data.push_back(node_of(transfer.after_transfer));
      }
      if (transfer.collective >= 0) {
        Ids& all = inputs[transfer.collective];
        all.insert(all.end(), data.begin(), data.end());
        continue;
      }
      const Exchange& exchange = schedule_.exchanges[transfer.exchange];
      Node node(communication_.at(id),
                step_name(sends ? "send" : "receive", exchange.pass, exchange.step),
                sends ? kSend : kReceive);
      node.control({exchanges_.at(transfer.exchange).entered});
      node.data(data);
      node.attribute("comm_src", kInt32, static_cast<uint64_t>(transfer.from));
      node.attribute("comm_dst", kInt32, static_cast<uint64_t>(transfer.to));
      node.attribute("comm_size", kInt64, static_cast<uint64_t>(transfer.bytes));
      node.attribute("comm_tag", kInt32, static_cast<uint64_t>(id));
      write(node);
    }
    for (auto& [collective, data] : inputs) write_call(collective, std::move(data));
  }

  void write_call(int32_t number, Ids data) {
    const CollectiveCall& call = schedule_.collectives[number];
    const auto first = std::ranges::find_if(
        transfers_, [&](int32_t id) { return schedule_.transfers[id].collective == number; });
    const int32_t exchange = schedule_.transfers[*first].exchange;
    const bool gathers = call.kind == CollectiveKind::all_gather;
    const auto& [pass, step, substage] = schedule_.exchanges[exchange];
    Node node(calls_.at(number), step_name(gathers ? "all-gather" : "reduce-scatter", pass, step),
              kCollective);
    std::ranges::sort(data);
    data.erase(std::unique(data.begin(), data.end()), data.end());
    node.control({exchanges_.at(exchange).entered});
    node.data(data);
    node.attribute("comm_type", kInt64, gathers ? kAllGather : kReduceScatter);
    node.attribute("comm_size", kInt64, static_cast<uint64_t>(call.block_bytes));
    std::string members;
    for (const int32_t member : call.members) {
      members += (members.empty() ? "" : ",") + std::to_string(member);
    }
    node.attribute("pg_name", members);
    write(node);
  }

  const Schedule& schedule_;
  const RankSchedule& own_;
  int32_t rank_;
  const std::vector<int32_t>& transfers_;
  uint64_t next_id_ = 1 + own_.tasks.size() + own_.packs.size();
  std::map<int32_t, uint64_t> communication_;  // by transfer
  std::map<int32_t, uint64_t> calls_;          // by collective
  std::map<int32_t, OwnExchange> exchanges_;
  std::string out_;
};

}  // namespace

ChakraTraces::ChakraTraces(const Schedule& schedule)
    : schedule_(schedule), transfers_(schedule.ranks.size()) {
  for (int32_t id = 0; id < std::ssize(schedule.transfers); ++id) {
    const Transfer& transfer = schedule.transfers[id];
    transfers_[transfer.from].push_back(id);
    if (transfer.to != transfer.from) transfers_[transfer.to].push_back(id);
  }
}

std::string ChakraTraces::of(int32_t rank) const {
  return Trace(schedule_, rank, transfers_[rank]).text();
}

}  // namespace cpbench
