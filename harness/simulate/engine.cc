#include "harness/simulate/engine.h"

#include <algorithm>
#include <limits>
#include <queue>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>

#include "harness/simulate/collectives.h"
#include "harness/simulate/free_network.h"
#include "harness/simulate/ports.h"

namespace cpbench {
namespace {

// Number of tasks before the first step from which the exchange is at most `lookahead` steps away.
// `step` moves to that step; it must be 0, or where it came to rest for an earlier exchange.
int32_t enter_task(const Schedule& schedule, int32_t rank, int32_t exchange, size_t& step) {
  const Exchange& e = schedule.exchanges[exchange];
  const std::pair wanted(e.pass, std::max(0, e.step - schedule.lookahead[e.pass]));
  const RankSchedule& own = schedule.ranks[rank];
  const std::vector<StepStart>& steps = own.steps;
  while (step < steps.size() && std::pair(steps[step].pass, steps[step].step) < wanted) ++step;
  return step == steps.size() ? static_cast<int32_t>(own.tasks.size()) : steps[step].first_task;
}

// A send that waits until a number of tasks, or packs, are done.
struct Awaiting {
  int32_t done = 0;
  int32_t transfer = 0;
  bool operator>(const Awaiting& other) const { return done > other.done; }
};
using Queue = std::priority_queue<Awaiting, std::vector<Awaiting>, std::greater<>>;

struct Rank {
  int32_t tasks_done = 0;
  int32_t packs_done = 0;
  int32_t pack_task = 0;  // number of tasks that must be done before the next pack
  size_t pack_step = 0;   // the step from which its exchange may begin
  bool busy = false;
  int32_t begun = 0;         // if busy: the number of tasks that it does; 0: a pack
  double since_seconds = 0;  // the end of its last recorded activity
  double host_seconds = 0;   // when the host has launched everything that has begun
  size_t current = 0;        // index of the exchange that it is in, or enters next
  bool inside = false;
  double enter_seconds = -1;  // if not inside: when the host has launched the exchange; -1: not yet
  int32_t unfinished = 0;     // number of own transfers of the current exchange
  double first_launch = -1;   // when the first of them began
  // Sends of the current exchange whose bytes are not ready, by the condition that each waits for
  // now. Those that wait only for an arrival are in Engine::first_after_. Those in `ready` can be
  // launched.
  Queue for_task, for_pack;
  std::vector<int32_t> ready;
  Event now{};  // the activity that may go on
  std::vector<Event> events, transfer_events;
  WorkSeconds work;
};

// Asks for element `at` of a list that this rank will read when it is next looked at. The lists of
// thousands of ranks are not in the cache, so a rank would wait for each of its elements.
template <typename Item>
void prefetch(const std::vector<Item>& list, size_t at) {
  if (at < list.size()) __builtin_prefetch(&list[at]);
}

struct Due {  // the end of what a rank does, or the launch of its next exchange
  double seconds;
  int32_t rank;
  bool enters = false;
  bool operator>(const Due& other) const {
    return std::tie(seconds, rank, enters) > std::tie(other.seconds, other.rank, other.enters);
  }
};

class Engine {
 public:
  Engine(const Schedule& schedule, const std::vector<RankExchanges>& exchanges,
         const ClusterModel& machine, const Profile& profile, Network& network, Portion portion)
      : schedule_(schedule),
        exchanges_(exchanges),
        machine_(machine),
        profile_(profile),
        network_(network),
        portion_(portion) {
    ranks_.resize(schedule.size());
    for (Rank& r : ranks_)
      r.host_seconds = portion == Portion::exchanges ? 0 : profile.graph_seconds;
    arrived_.resize(schedule.transfers.size());
    missing_.assign(schedule.transfers.size(), 2);
    first_after_.assign(schedule.transfers.size(), -1);
    next_after_.assign(schedule.transfers.size(), -1);
    not_launched_.resize(schedule.collectives.size());
    in_collective_.resize(schedule.collectives.size());
    messages_left_.resize(schedule.collectives.size());
    unfinished_.resize(schedule.exchanges.size());
    queued_.resize(schedule.size());
    if (portion == Portion::whole) {
      slowdown_ = slowdown(profile.reserved_sms);
      collective_slowdown_ = slowdown(std::max(profile.reserved_sms, profile.collective_sms));
      slows_ = slowdown_ != 1 || collective_slowdown_ != 1;
    }
    // Otherwise it matters between which tasks an exchange begins.
    joins_tasks_ = !slows_ && seconds_of(profile.exchange_seconds, Activity::send) == 0;
    distribute();
  }

  Execution run() {
    for (int32_t rank = 0; rank < schedule_.size(); ++rank) {
      find_next_pack(rank);
      queue(rank);
    }
    progress_all();
    while (true) {
      now_ = network_.next_seconds(due_.empty() ? kNever : due_.top().seconds);
      if (now_ == kNever) break;
      while (!due_.empty() && due_.top().seconds <= now_) {
        const Due due = due_.top();
        due_.pop();
        if (due.enters) {
          queue(due.rank);
        } else {
          finish(due.rank);
          queue(due.rank);
        }
      }
      for (int32_t message : network_.advance(now_)) {
        const auto transfers = static_cast<int32_t>(schedule_.transfers.size());
        if (message < transfers) {
          arrive(message);
        } else {
          arrive_of_collective(collective_of_[message - transfers]);
        }
      }
      progress_all();
    }
    return result();
  }

 private:
  // What a rank reads between two prefetches, and some more.
  static constexpr size_t kTasksAhead = 4, kExchangesAhead = 4, kTransfersAhead = 8;
  static constexpr double kNever = std::numeric_limits<double>::infinity();

  // Of kernels that do not have these SMs.
  double slowdown(int32_t sms) const {
    return sms > 0 ? static_cast<double>(machine_.sms) / (machine_.sms - sms) : 1;
  }

  void distribute() {
    for (size_t id = 0; id < schedule_.transfers.size(); ++id) {
      const Transfer& transfer = schedule_.transfers[id];
      ++unfinished_[transfer.exchange];
      if (transfer.collective >= 0) {
        ++not_launched_[transfer.collective];
        in_collective_[transfer.collective].push_back(static_cast<int32_t>(id));
      }
    }
  }

  void queue(int32_t rank) {
    if (queued_[rank]) return;
    queued_[rank] = true;
    queue_.push_back(rank);
  }

  void progress_all() {
    for (size_t i = 0; i < queue_.size(); ++i) {  // the queue grows in the loop
      const int32_t rank = queue_[i];
      queued_[rank] = false;
      communicate(rank);
      work(rank);
      communicate(rank);
    }
    queue_.clear();
  }

  // Ends what the rank did since `since_seconds`.
  void record(int32_t rank, const Task& task, double end) {
    Rank& r = ranks_[rank];
    const double start = std::exchange(r.since_seconds, end);
    if (end <= start) return;
    Event& now = r.now;
    if (now.end_seconds > 0 && now.end_seconds == start && now.activity == task.activity &&
        now.step == task.step && now.pass == task.pass) {
      now.end_seconds = end;
      return;
    }
    finish_event(r);
    now = {rank, task.pass, task.step, task.activity, start, end};
  }

  // Keeps what the portion is run for.
  void finish_event(Rank& r) {
    if (r.now.end_seconds == 0) return;  // there was none
    if (portion_ == Portion::whole) r.events.push_back(r.now);
    if (portion_ != Portion::work) return;
    const double seconds = r.now.end_seconds - r.now.start_seconds;
    switch (r.now.activity) {
      case Activity::attention:
        r.work.attention += seconds;
        break;
      case Activity::copy:
      case Activity::merge:
        r.work.copies += seconds;
        break;
      case Activity::layer:
        r.work.layer += seconds;
        break;
      case Activity::host:
        r.work.host += seconds;
        break;
      default:
        break;
    }
  }

  // What takes `seconds` in the whole program.
  double seconds_of(double seconds, Activity activity) const {
    const Portion own = activity == Activity::send ? Portion::exchanges : Portion::work;
    return portion_ == Portion::whole || portion_ == own ? seconds : 0;
  }

  // When the host has launched what the rank begins at `now`.
  static double launched_by_host(Rank& r, double host_seconds, double now) {
    r.host_seconds += host_seconds;
    return std::max(now, r.host_seconds);
  }

  // The rank does the task when it has done what it does already.
  void perform(int32_t rank, const Task& task, double seconds) {
    Rank& r = ranks_[rank];
    const double start = launched_by_host(r, seconds_of(task.host_seconds, task.activity),
                                          r.busy ? r.since_seconds : now_);
    r.busy = true;
    record(rank, {.step = task.step, .pass = task.pass, .activity = Activity::host}, start);
    record(rank, task, start + seconds_of(seconds, task.activity));
  }

  void end_later(int32_t rank) {
    const double end = ranks_[rank].since_seconds;
    if (portion_ == Portion::exchanges && end <= now_) {  // as most tasks, if work takes no time
      finish(rank);
      communicate(rank);
    } else {
      due_.push({end, rank});
    }
  }

  static Task task_of(const Pack& pack) {
    return {.host_seconds = pack.host_seconds,
            .step = pack.step,
            .pass = pack.pass,
            .activity = Activity::copy};
  }

  void work(int32_t rank) {
    Rank& r = ranks_[rank];
    const std::vector<Task>& tasks = schedule_.ranks[rank].tasks;
    while (!r.busy) {
      if (r.pack_task <= r.tasks_done) {
        const Pack& pack = schedule_.ranks[rank].packs[r.packs_done];
        wait_ends(rank, pack.pass, pack.step);
        perform(rank, task_of(pack), pack.seconds);
        end_later(rank);
        continue;
      }
      if (r.tasks_done == static_cast<int32_t>(tasks.size())) return;
      const Task& task = tasks[r.tasks_done];
      if (task.arrival >= 0) {
        if (!arrived_[task.arrival]) return;
        wait_ends(rank, task.pass, task.step);
        ++r.tasks_done;
        prefetch(tasks, r.tasks_done + kTasksAhead);
        continue;
      }
      perform_tasks(rank);
    }
  }

  // The next task, and those after it if nothing can happen between them. An arrival in the instant
  // between two of them (ports.h) is then not rounded to the end of the first.
  void perform_tasks(int32_t rank) {
    Rank& r = ranks_[rank];
    const std::vector<Task>& tasks = schedule_.ranks[rank].tasks;
    const std::vector<bool>& awaited = exchanges_[rank].awaited;
    auto next = static_cast<size_t>(r.tasks_done);
    do {
      const Task& task = tasks[next++];
      double seconds = task.seconds;
      if (slows_ && task.activity == Activity::attention && r.inside && r.first_launch >= 0) {
        const RankExchanges& own = exchanges_[rank];
        const int32_t first = own.transfers[own.all[r.current].first];
        seconds *= schedule_.transfers[first].collective >= 0 ? collective_slowdown_ : slowdown_;
      }
      perform(rank, task, seconds);
    } while (joins_tasks_ && next < tasks.size() && !awaited[next] && tasks[next].arrival < 0);
    r.begun = static_cast<int32_t>(next) - r.tasks_done;
    prefetch(tasks, next + kTasksAhead);
    end_later(rank);
  }

  // Finds after how many tasks the rank may do its next pack: it may be in the pack's exchange, and
  // what the pack reads is ready.
  void find_next_pack(int32_t rank) {
    Rank& r = ranks_[rank];
    const std::vector<Pack>& packs = schedule_.ranks[rank].packs;
    r.pack_task = std::numeric_limits<int32_t>::max();
    if (r.packs_done == static_cast<int32_t>(packs.size())) return;
    const Pack& pack = packs[r.packs_done];
    r.pack_task =
        std::max(pack.after_task, enter_task(schedule_, rank, pack.exchange, r.pack_step));
  }

  // Ends the waiting of a rank, because the transfer has arrived or there is something else to do.
  void wait_ends(int32_t rank, uint8_t pass, int32_t step) {
    record(rank, {.step = step, .pass = pass, .activity = Activity::wait}, now_);
  }

  void finish(int32_t rank) {
    Rank& r = ranks_[rank];
    r.tasks_done += r.begun;
    if (std::exchange(r.begun, 0) == 0) {
      ++r.packs_done;
      find_next_pack(rank);
    }
    r.busy = false;
  }

  // Enters the next exchange if the rank may, and launches the transfers that are ready.
  void communicate(int32_t rank) {
    Rank& r = ranks_[rank];
    if (!r.inside) {
      const RankExchanges& exchanges = exchanges_[rank];
      if (r.current == exchanges.all.size()) return;
      const RankExchanges::Own& own = exchanges.all[r.current];
      if (r.tasks_done < own.enter_task) return;
      if (r.enter_seconds < 0) {
        r.enter_seconds =
            launched_by_host(r, seconds_of(profile_.exchange_seconds, Activity::send), now_);
        if (r.enter_seconds > now_) due_.push({r.enter_seconds, rank, true});
      }
      if (r.enter_seconds > now_) return;
      r.enter_seconds = -1;
      r.inside = true;
      r.unfinished = own.last - own.first;
      r.first_launch = -1;
      prefetch(exchanges.all, r.current + kExchangesAhead);
      prefetch(exchanges.transfers, own.last + kTransfersAhead);
      for (int32_t i = own.first; i < own.last; ++i) {
        const int32_t id = exchanges.transfers[i];
        if (schedule_.transfers[id].to == rank) {
          met(id);
        } else {
          await(r, id);
        }
      }
    }
    while (!r.for_task.empty() && r.for_task.top().done <= r.tasks_done) await_next(r, r.for_task);
    while (!r.for_pack.empty() && r.for_pack.top().done <= r.packs_done) await_next(r, r.for_pack);
    std::sort(r.ready.begin(), r.ready.end());  // the order of the exchange
    for (int32_t id : r.ready) met(id);
    r.ready.clear();
  }

  // Makes a send wait for its first condition that is not met.
  void await(Rank& r, int32_t id) {
    const Transfer& transfer = schedule_.transfers[id];
    if (transfer.after_task > r.tasks_done) {
      r.for_task.push({transfer.after_task, id});
    } else if (transfer.after_pack > r.packs_done) {
      r.for_pack.push({transfer.after_pack, id});
    } else if (transfer.after_transfer >= 0 && !arrived_[transfer.after_transfer]) {
      next_after_[id] = first_after_[transfer.after_transfer];
      first_after_[transfer.after_transfer] = id;
    } else {
      r.ready.push_back(id);
    }
  }
  void await_next(Rank& r, Queue& queue) {
    const int32_t id = queue.top().transfer;
    queue.pop();
    await(r, id);
  }

  // One of two conditions of a transfer is met: the receiver is in the exchange, or the sender is
  // and the bytes are ready.
  void met(int32_t id) {
    if (--missing_[id] > 0) return;
    const Transfer& transfer = schedule_.transfers[id];
    if (transfer.collective < 0) {
      launched(transfer);
      network_.start(id, transfer.from, transfer.to, transfer.bytes, now_);
    } else if (--not_launched_[transfer.collective] == 0) {
      for (int32_t each : in_collective_[transfer.collective]) {
        launched(schedule_.transfers[each]);
      }
      launch_collective(transfer.collective);
    }
  }

  // Its messages have the ids after those of the transfers.
  void launch_collective(int32_t collective) {
    for (const CollectiveMessage& m : messages_of(machine_, schedule_.collectives[collective])) {
      const auto id = static_cast<int32_t>(schedule_.transfers.size() + collective_of_.size());
      collective_of_.push_back(collective);
      ++messages_left_[collective];
      network_.start(id, m.from, m.to, m.bytes, now_);
    }
  }

  void arrive_of_collective(int32_t collective) {
    if (--messages_left_[collective] > 0) return;
    for (int32_t transfer : in_collective_[collective]) arrive(transfer);
  }

  void launched(const Transfer& transfer) {
    for (int32_t rank : {transfer.from, transfer.to}) {
      if (ranks_[rank].first_launch < 0) ranks_[rank].first_launch = now_;
    }
  }

  void arrive(int32_t id) {
    const Transfer& transfer = schedule_.transfers[id];
    arrived_[id] = true;
    for (int32_t next = first_after_[id]; next >= 0; next = next_after_[next]) {
      ranks_[transfer.to].ready.push_back(next);
    }
    const bool all = --unfinished_[transfer.exchange] == 0;
    for (int32_t rank : {transfer.from, transfer.to}) {
      --ranks_[rank].unfinished;
      if (!profile_.substage_barrier) leave_if_finished(rank);
      queue(rank);
    }
    if (profile_.substage_barrier && all) {
      for (int32_t rank = 0; rank < schedule_.size(); ++rank) {
        const Rank& r = ranks_[rank];
        if (r.inside && exchanges_[rank].all[r.current].exchange == transfer.exchange) {
          leave_if_finished(rank);
          queue(rank);
        }
      }
    }
  }

  void leave_if_finished(int32_t rank) {
    Rank& r = ranks_[rank];
    if (r.unfinished > 0) return;
    if (portion_ == Portion::whole) {
      const Exchange& e = schedule_.exchanges[exchanges_[rank].all[r.current].exchange];
      r.transfer_events.push_back({rank, e.pass, e.step, Activity::transfer, r.first_launch, now_});
    }
    r.inside = false;
    ++r.current;
  }

  Execution result() {
    Execution execution;
    size_t events = 0;
    for (Rank& r : ranks_) {
      finish_event(r);
      events += r.events.size() + r.transfer_events.size();
    }
    execution.events.reserve(events);
    for (int32_t rank = 0; rank < schedule_.size(); ++rank) {
      Rank& r = ranks_[rank];
      if (r.current < exchanges_[rank].all.size() ||
          r.tasks_done < static_cast<int32_t>(schedule_.ranks[rank].tasks.size())) {
        throw std::logic_error("internal error: simulated rank " + std::to_string(rank) +
                               " waits for ever after task " + std::to_string(r.tasks_done) +
                               " and exchange " + std::to_string(r.current));
      }
      execution.end_seconds.push_back(r.since_seconds);
      if (portion_ == Portion::work) execution.work.push_back(r.work);
      for (std::vector<Event>* own : {&r.events, &r.transfer_events}) {
        execution.events.insert(execution.events.end(), own->begin(), own->end());
        *own = {};  // those of thousands of ranks would not fit in memory twice
      }
    }
    return execution;
  }

  const Schedule& schedule_;
  const std::vector<RankExchanges>& exchanges_;
  const ClusterModel& machine_;
  const Profile& profile_;
  Network& network_;
  Portion portion_;
  double now_ = 0;
  double slowdown_ = 1;             // of kernels while the rank exchanges
  double collective_slowdown_ = 1;  // the same, with a collective of the library
  bool slows_ = false;              // whether one of them does
  bool joins_tasks_ = false;        // whether tasks may be done together
  std::vector<Rank> ranks_;
  std::vector<bool> arrived_;                        // by transfer
  std::vector<int8_t> missing_;                      // by transfer: number of conditions not met
  std::vector<int32_t> first_after_;                 // by transfer: sends that wait only for it,
  std::vector<int32_t> next_after_;                  // as a linked list
  std::vector<int32_t> not_launched_;                // by collective: number of transfers
  std::vector<std::vector<int32_t>> in_collective_;  // by collective
  std::vector<int32_t> messages_left_;               // by collective, in flight
  std::vector<int32_t> collective_of_;               // by message of a collective
  std::vector<int32_t> unfinished_;                  // by exchange: number of transfers
  std::vector<bool> queued_;
  std::vector<int32_t> queue_;
  std::priority_queue<Due, std::vector<Due>, std::greater<>> due_;
};

}  // namespace

std::vector<RankExchanges> exchanges_by_rank(const Schedule& schedule) {
  std::vector<RankExchanges> by_rank(schedule.size());
  for (int32_t rank = 0; rank < schedule.size(); ++rank) {
    const RankSchedule& own = schedule.ranks[rank];
    std::vector<bool>& awaited = by_rank[rank].awaited;
    awaited.resize(own.tasks.size() + 1);
    for (const StepStart& step : own.steps) awaited[step.first_task] = true;
    for (const Pack& pack : own.packs) awaited[pack.after_task] = true;
  }
  std::vector<size_t> steps(schedule.size());  // by rank, for enter_task
  for (size_t id = 0; id < schedule.transfers.size(); ++id) {
    const Transfer& transfer = schedule.transfers[id];
    by_rank[transfer.from].awaited[transfer.after_task] = true;
    for (int32_t rank : {transfer.from, transfer.to}) {
      RankExchanges& own = by_rank[rank];
      if (own.all.empty() || own.all.back().exchange != transfer.exchange) {
        const auto at = static_cast<int32_t>(own.transfers.size());
        own.all.push_back({transfer.exchange, at, at,
                           enter_task(schedule, rank, transfer.exchange, steps[rank])});
      }
      own.transfers.push_back(static_cast<int32_t>(id));
      ++own.all.back().last;
    }
  }
  return by_rank;
}

Execution run(const Schedule& schedule, const std::vector<RankExchanges>& exchanges,
              const ClusterModel& machine, const Profile& profile, Portion portion) {
  if (portion == Portion::work) {
    FreeNetwork network;
    return Engine(schedule, exchanges, machine, profile, network, portion).run();
  }
  Ports network(machine);
  return Engine(schedule, exchanges, machine, profile, network, portion).run();
}

Execution run(const Schedule& schedule, const ClusterModel& machine, const Profile& profile,
              Portion portion) {
  return run(schedule, exchanges_by_rank(schedule), machine, profile, portion);
}

Execution run(const Schedule& schedule, const ClusterModel& machine, const Profile& profile,
              Network& network, Portion portion) {
  return Engine(schedule, exchanges_by_rank(schedule), machine, profile, network, portion).run();
}

}  // namespace cpbench
