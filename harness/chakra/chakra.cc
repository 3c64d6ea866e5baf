#include "harness/chakra/chakra.h"

#include "harness/plan/errors.h"

#ifdef CPBENCH_WITH_PROTOBUF
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "et_def.pb.h"
#endif

namespace cpbench {

#ifdef CPBENCH_WITH_PROTOBUF
namespace {

using ChakraProtoMsg::AttributeProto;
using ChakraProtoMsg::Node;
using google::protobuf::io::CodedOutputStream;
using Ids = google::protobuf::RepeatedField<uint64_t>;

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

AttributeProto& attribute(Node& node, const char* name) {
  AttributeProto& attribute = *node.add_attr();
  attribute.set_name(name);
  return attribute;
}

Node new_node(uint64_t id, const std::string& name, ChakraProtoMsg::NodeType type) {
  Node node;
  node.set_id(id);
  node.set_name(name);
  node.set_type(type);
  attribute(node, "is_cpu_op").set_bool_val(false);
  return node;
}

void set_duration(Node& node, double seconds) {
  node.set_duration_micros(static_cast<uint64_t>(std::llround(seconds * 1e6)));
  attribute(node, "duration_seconds").set_double_val(seconds);
}

// The trace of one rank. Ids are given out first, so that a node may name one that is written
// later.
class Trace {
 public:
  Trace(const Schedule& schedule, int32_t rank, const std::vector<int32_t>& transfers,
        CodedOutputStream& out)
      : schedule_(schedule),
        own_(schedule.ranks[rank]),
        rank_(rank),
        transfers_(transfers),
        out_(out) {
    for (const int32_t id : transfers_) {
      const Transfer& transfer = schedule_.transfers[id];
      const bool is_call = transfer.collective >= 0;
      uint64_t& node = is_call ? calls_[transfer.collective] : communication_[id];
      if (node == 0) node = next_id_++;
      std::vector<uint64_t>& members = exchanges_[transfer.exchange].members;
      if (members.empty() || members.back() != node) members.push_back(node);
    }
    for (auto& [number, exchange] : exchanges_) exchange.entered = next_id_++;
  }

  void write() {
    ChakraProtoMsg::GlobalMetadata metadata;
    metadata.set_version("0.0.4");
    write(metadata);
    write_tasks();
    write_packs();
    write_exchanges();
    write_communication();
  }

 private:
  struct OwnExchange {
    uint64_t entered = 0;
    std::vector<uint64_t> members{};  // communication of the rank in it
  };

  // Tasks have the first ids, and then packs.
  uint64_t task(int32_t index) const { return 1 + static_cast<uint64_t>(index); }
  uint64_t pack(int32_t index) const {
    return 1 + own_.tasks.size() + static_cast<uint64_t>(index);
  }
  // Adds what has ended when so many tasks, or packs, are done.
  void add_tasks(int32_t count, Ids& ids) const {
    if (count > 0) ids.Add(task(count - 1));
  }
  void add_packs(int32_t count, Ids& ids) const {
    if (count > 0) ids.Add(pack(count - 1));
  }

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

  // Its length and itself.
  void write(const google::protobuf::MessageLite& message) {
    out_.WriteVarint32(static_cast<uint32_t>(message.ByteSizeLong()));
    message.SerializeWithCachedSizes(&out_);
  }

  void write_tasks() {
    for (int32_t i = 0; i < std::ssize(own_.tasks); ++i) {
      const Task& task = own_.tasks[i];
      Node node = new_node(this->task(i), step_name(name_of(task.activity), task.pass, task.step),
                           ChakraProtoMsg::COMP_NODE);
      add_tasks(i, *node.mutable_ctrl_deps());
      if (task.arrival >= 0) node.add_data_deps(node_of(task.arrival));
      set_duration(node, task.arrival >= 0 ? 0 : task.seconds);
      write(node);
    }
  }

  void write_packs() {
    for (int32_t i = 0; i < std::ssize(own_.packs); ++i) {
      const Pack& pack = own_.packs[i];
      Node node = new_node(this->pack(i), step_name("pack", pack.pass, pack.step),
                           ChakraProtoMsg::COMP_NODE);
      add_packs(i, *node.mutable_ctrl_deps());
      node.add_ctrl_deps(exchanges_.at(pack.exchange).entered);
      add_tasks(pack.after_task, *node.mutable_data_deps());
      set_duration(node, pack.seconds);
      write(node);
    }
  }

  void write_exchanges() {
    std::vector<uint64_t> before;
    for (const auto& [number, own] : exchanges_) {
      const Exchange& exchange = schedule_.exchanges[number];
      Node node = new_node(own.entered, step_name("exchange", exchange.pass, exchange.step),
                           ChakraProtoMsg::COMP_NODE);
      node.mutable_ctrl_deps()->Add(before.begin(), before.end());
      add_tasks(tasks_before(exchange), *node.mutable_ctrl_deps());
      set_duration(node, 0);
      write(node);
      before = own.members;
    }
  }

  void write_communication() {
    std::map<int32_t, std::set<uint64_t>> inputs;  // of each collective
    for (const int32_t id : transfers_) {
      const Transfer& transfer = schedule_.transfers[id];
      const bool sends = transfer.from == rank_;
      Ids data;
      if (sends) {
        add_tasks(transfer.after_task, data);
        add_packs(transfer.after_pack, data);
        if (transfer.after_transfer >= 0) data.Add(node_of(transfer.after_transfer));
      }
      if (transfer.collective >= 0) {
        inputs[transfer.collective].insert(data.begin(), data.end());
        continue;
      }
      const Exchange& exchange = schedule_.exchanges[transfer.exchange];
      Node node = new_node(communication_.at(id),
                           step_name(sends ? "send" : "receive", exchange.pass, exchange.step),
                           sends ? ChakraProtoMsg::COMM_SEND_NODE : ChakraProtoMsg::COMM_RECV_NODE);
      node.add_ctrl_deps(exchanges_.at(transfer.exchange).entered);
      *node.mutable_data_deps() = std::move(data);
      attribute(node, "comm_src").set_int32_val(transfer.from);
      attribute(node, "comm_dst").set_int32_val(transfer.to);
      attribute(node, "comm_size").set_int64_val(transfer.bytes);
      attribute(node, "comm_tag").set_int32_val(id);
      write(node);
    }
    for (const auto& [collective, data] : inputs) write_call(collective, data);
  }

  void write_call(int32_t number, const std::set<uint64_t>& data) {
    const CollectiveCall& call = schedule_.collectives[number];
    const auto first = std::ranges::find_if(
        transfers_, [&](int32_t id) { return schedule_.transfers[id].collective == number; });
    const int32_t exchange = schedule_.transfers[*first].exchange;
    const bool gathers = call.kind == CollectiveKind::all_gather;
    const auto& [pass, step, substage] = schedule_.exchanges[exchange];
    Node node = new_node(calls_.at(number),
                         step_name(gathers ? "all-gather" : "reduce-scatter", pass, step),
                         ChakraProtoMsg::COMM_COLL_NODE);
    node.add_ctrl_deps(exchanges_.at(exchange).entered);
    node.mutable_data_deps()->Add(data.begin(), data.end());
    attribute(node, "comm_type")
        .set_int64_val(gathers ? ChakraProtoMsg::ALL_GATHER : ChakraProtoMsg::REDUCE_SCATTER);
    attribute(node, "comm_size").set_int64_val(call.block_bytes);
    std::string members;
    for (const int32_t member : call.members) {
      members += (members.empty() ? "" : ",") + std::to_string(member);
    }
    attribute(node, "pg_name").set_string_val(members);
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
  CodedOutputStream& out_;
};

}  // namespace

void write_chakra_traces(const Schedule& schedule,
                         const std::function<void(int32_t rank, const std::string& trace)>& write) {
  std::vector<std::vector<int32_t>> transfers(schedule.ranks.size());  // of each rank, by exchange
  for (int32_t id = 0; id < std::ssize(schedule.transfers); ++id) {
    const Transfer& transfer = schedule.transfers[id];
    transfers[transfer.from].push_back(id);
    if (transfer.to != transfer.from) transfers[transfer.to].push_back(id);
  }
  for (int32_t rank = 0; rank < schedule.size(); ++rank) {
    std::string trace;
    google::protobuf::io::StringOutputStream stream(&trace);
    CodedOutputStream out(&stream);
    Trace(schedule, rank, transfers[rank], out).write();
    out.Trim();
    write(rank, trace);
  }
}

#else

void write_chakra_traces(const Schedule&, const std::function<void(int32_t, const std::string&)>&) {
  throw UserError(
      "cpbench was built without protobuf: install libprotobuf-dev and protobuf-compiler, and "
      "build again");
}

#endif

}  // namespace cpbench
