#include "harness/simulate/make_schedule.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <stdexcept>
#include <tuple>
#include <utility>

#include "harness/compile/exchanges.h"
#include "harness/simulate/collectives.h"

namespace cpbench {
namespace {

const Pass& pass_of(const Plan& plan, int32_t number) {
  return number == 0 ? plan.forward : plan.backward;
}

// Tags are 2 * send + pass (program.h).
int32_t pass_of(int32_t tag) { return tag & 1; }
int32_t send_of(int32_t tag) { return tag >> 1; }

struct End {
  int32_t tag, from, to;
  int32_t index;  // of the end in its rank's list
  auto key() const { return std::tie(tag, from, to); }
};

// In the order of the plan's sends, which is that of their exchanges. The ends of one send are in
// the order of their ranks: one of its sides is a single rank, and the other one ascends.
std::vector<End> sorted_ends(const Plan& plan, const std::vector<PricedRank>& priced,
                             std::vector<MessageEnd> PricedRank::*list, bool sending) {
  const size_t forward = plan.forward.sends.size();
  const auto place = [&](int32_t tag) { return pass_of(tag) * forward + send_of(tag); };
  std::vector<size_t> next(forward + plan.backward.sends.size() + 1);  // by send: its next end
  for (const PricedRank& rank : priced) {
    for (const MessageEnd& message : rank.*list) ++next[place(message.tag) + 1];
  }
  std::partial_sum(next.begin(), next.end(), next.begin());
  std::vector<End> ends(next.back());
  for (size_t rank = 0; rank < priced.size(); ++rank) {
    const std::vector<MessageEnd>& messages = priced[rank].*list;
    for (size_t i = 0; i < messages.size(); ++i) {
      const auto own = static_cast<int32_t>(rank);
      const auto [peer, tag] = std::pair(messages[i].peer, messages[i].tag);
      ends[next[place(tag)]++] = {tag, sending ? own : peer, sending ? peer : own,
                                  static_cast<int32_t>(i)};
    }
  }
  return ends;
}

// Indices of `ends`, by exchange and then by sender and receiver.
std::vector<int32_t> by_exchange(const std::vector<End>& ends, const Exchanges& exchanges) {
  std::vector<int32_t> order(ends.size());
  std::iota(order.begin(), order.end(), 0);
  for (auto first = order.begin(), last = first; first != order.end(); first = last) {
    const int32_t exchange = exchanges.of(ends[*first].tag);
    last = std::find_if(first, order.end(),
                        [&](int32_t i) { return exchanges.of(ends[i].tag) != exchange; });
    std::sort(first, last, [&](int32_t a, int32_t b) {
      return std::tie(ends[a].from, ends[a].to, a) < std::tie(ends[b].from, ends[b].to, b);
    });
  }
  return order;
}

// Adds a call with its members for each collective of the pass, and returns the index of the first.
int32_t add_collectives(const Plan& plan, const Pass& pass, std::vector<CollectiveCall>& calls) {
  const auto first = static_cast<int32_t>(calls.size());
  std::vector<Ranges> members(pass.collectives.size());
  for (const Send& send : pass.sends) {
    if (send.collective < 0) continue;
    for (SetId side : {send.from, send.to}) {
      const RangeSpan ranks = plan.rank_sets[side];
      Ranges& all = members[send.collective];
      all.insert(all.end(), ranks.begin(), ranks.end());
    }
  }
  for (size_t i = 0; i < members.size(); ++i) {
    calls.push_back({pass.collectives[i].kind, {}, 0});
    for_each_member(normalise(std::move(members[i])), [&](int64_t rank) {
      calls.back().members.push_back(static_cast<int32_t>(rank));
    });
  }
  return first;
}

// The transfers of multicasts to the first receiver on each other node, by tag and node.
class Relays {
 public:
  Relays(const Profile& profile, const Cluster& cluster)
      : used_(profile.multicast_per_node), cluster_(cluster) {}

  // If a rank on the receiver's node already gets the message, makes that rank pass it on.
  void redirect(Transfer& transfer, int32_t tag, const std::vector<Transfer>& transfers) const {
    if (!crosses(transfer)) return;
    const auto relay = found_.find(key_of(transfer, tag));
    if (relay == found_.end()) return;
    transfer.from = transfers[relay->second].to;
    transfer.after_task = transfer.after_pack = 0;
    transfer.after_transfer = relay->second;
  }
  void add(const Transfer& transfer, int32_t tag, int32_t id) {
    if (crosses(transfer)) found_.emplace(key_of(transfer, tag), id);
  }

 private:
  bool crosses(const Transfer& transfer) const {
    return used_ && transfer.collective < 0 &&
           cluster_.node_of(transfer.from) != cluster_.node_of(transfer.to);
  }
  // Ranks of a reduction send different bytes with one tag.
  std::tuple<int32_t, int32_t, int32_t> key_of(const Transfer& transfer, int32_t tag) const {
    return {tag, transfer.from, cluster_.node_of(transfer.to)};
  }

  bool used_;
  const Cluster& cluster_;
  std::map<std::tuple<int32_t, int32_t, int32_t>, int32_t> found_;
};

// Adds `next` to `last` if both have the same sender, receiver, exchange and transfer to wait for.
bool joined(Transfer& last, const Transfer& next) {
  const auto way = [](const Transfer& t) {
    return std::tie(t.exchange, t.from, t.to, t.collective, t.after_transfer);
  };
  if (way(last) != way(next) || next.collective >= 0) return false;
  last.bytes += next.bytes;
  last.after_task = std::max(last.after_task, next.after_task);
  last.after_pack = std::max(last.after_pack, next.after_pack);
  return true;
}

}  // namespace

Schedule make_schedule(const Plan& plan, std::vector<PricedRank> priced, const Profile& profile,
                       const Cluster& cluster) {
  Schedule schedule;
  Exchanges exchanges(plan);
  int32_t first_collective[2];
  for (int32_t number : {0, 1}) {
    schedule.lookahead[number] =
        profile.buffers > 0 ? profile.buffers - 1 : exchanges.lookahead[number];
    first_collective[number] = add_collectives(plan, pass_of(plan, number), schedule.collectives);
  }
  schedule.exchanges = exchanges.all;
  const std::vector<End> sends = sorted_ends(plan, priced, &PricedRank::sends, true);
  const std::vector<End> receives = sorted_ends(plan, priced, &PricedRank::receives, false);
  const auto same = [](const End& a, const End& b) { return a.key() == b.key(); };
  if (!std::equal(sends.begin(), sends.end(), receives.begin(), receives.end(), same)) {
    throw std::logic_error("internal error: a message of the program has only one end");
  }

  for (PricedRank& rank : priced) {
    for (Pack& pack : rank.schedule.packs) pack.exchange = exchanges.of(pack.exchange);
  }
  std::vector<std::vector<int32_t>> transfer_of_receive(priced.size());
  for (size_t rank = 0; rank < priced.size(); ++rank) {
    transfer_of_receive[rank].resize(priced[rank].receives.size());
  }
  schedule.transfers.reserve(sends.size());
  Relays relays(profile, cluster);
  for (int32_t i : by_exchange(sends, exchanges)) {
    const End& end = sends[i];
    const MessageEnd& from = priced[end.from].sends[end.index];
    const MessageEnd& to = priced[end.to].receives[receives[i].index];
    Transfer transfer{.from = end.from,
                      .to = end.to,
                      .bytes = from.bytes,
                      .exchange = exchanges.of(end.tag),
                      .after_task = from.task,
                      .after_pack = from.pack};
    if (from.after_received >= 0) {
      // It is sent after it was received, in a later exchange, so that transfer already has its
      // index.
      transfer.after_transfer = transfer_of_receive[end.from][from.after_received];
    }
    const Send& send = pass_of(plan, pass_of(end.tag)).sends[send_of(end.tag)];
    if (send.collective >= 0 && !profile.collectives_as_messages) {
      const int32_t number = first_collective[pass_of(end.tag)] + send.collective;
      CollectiveCall& call = schedule.collectives[number];
      if (is_library_call(call.kind)) transfer.collective = number;
      call.block_bytes = from.bytes;
    }
    relays.redirect(transfer, end.tag, schedule.transfers);
    if (schedule.transfers.empty() || !joined(schedule.transfers.back(), transfer)) {
      schedule.transfers.push_back(transfer);
    }
    const auto id = static_cast<int32_t>(schedule.transfers.size()) - 1;
    relays.add(transfer, end.tag, id);
    transfer_of_receive[end.to][receives[i].index] = id;
    priced[end.to].schedule.tasks[to.task].arrival = id;
  }
  for (PricedRank& rank : priced) schedule.ranks.push_back(std::move(rank.schedule));
  return schedule;
}

}  // namespace cpbench
