#include "harness/simulate/simulate.h"

#include "harness/simulate/engine.h"
#include "harness/simulate/make_schedule.h"
#include "harness/simulate/run_simgrid.h"

namespace cpbench {
namespace {

// By rank.
std::vector<double> attention_seconds(const Execution& execution) {
  std::vector<double> seconds(execution.end_seconds.size());
  for (const Event& event : execution.events) {
    if (event.activity == Activity::attention) {
      seconds[event.rank] += event.end_seconds - event.start_seconds;
    }
  }
  return seconds;
}

std::vector<double> seconds_of(const Execution& execution, double WorkSeconds::*kind) {
  std::vector<double> seconds;
  for (const WorkSeconds& work : execution.work) seconds.push_back(work.*kind);
  return seconds;
}

}  // namespace

Simulator::Simulator(const Problem& problem, const Plan& plan, Passes passes,
                     const SimulatedCluster& on)
    : shape_(problem.shape), plan_(plan), passes_(passes), on_(on) {
  const auto ranks = static_cast<size_t>(plan.ranks);
  timeline_.ranks = plan.ranks;
  timeline_.iterations = 1;
  timeline_.bytes_sent.resize(ranks * ranks);
  timeline_.messages.resize(ranks * ranks);
}

Detail Simulator::detail() const { return priced_detail(on_.kernel, on_.profile); }

void Simulator::add(const RankProgram& program, std::span<const double> measured) {
  count_messages(program);
  timeline_.peak_bytes.push_back(program.arena_bytes);
  priced_.push_back(
      price(program, passes_, {shape_, plan_, on_.machine, on_.kernel, on_.profile}, measured));
}

void Simulator::count_messages(const RankProgram& program) {
  const size_t row = priced_.size() * static_cast<size_t>(plan_.ranks);
  for (const Op& op : program.ops) {
    if (op.kind != OpKind::send) continue;
    const Message& message = program.messages[op.index];
    timeline_.bytes_sent[row + message.peer] += message.bytes;
    ++timeline_.messages[row + message.peer];
  }
}

Timeline Simulator::run() {
  const Schedule schedule =
      make_schedule(plan_, std::move(priced_), on_.profile, on_.machine.cluster);
  const std::vector<RankExchanges> exchanges = exchanges_by_rank(schedule);
  const auto run = [&](Portion portion) {
    const bool ports = on_.network == NetworkModel::ports || portion == Portion::work;
    return ports ? cpbench::run(schedule, exchanges, on_.machine, on_.profile, portion)
                 : run_simgrid(schedule, on_.machine, on_.profile, simgrid_program(), portion);
  };
  timeline_.portions.exchange_seconds = run(Portion::exchanges).end_seconds;
  const std::vector<double> none(timeline_.ranks);  // a simulated rank is always in some activity
  {
    const Execution work = run(Portion::work);
    timeline_.portions = {.work_seconds = work.end_seconds,
                          .attention_seconds = seconds_of(work, &WorkSeconds::attention),
                          .copy_seconds = seconds_of(work, &WorkSeconds::copies),
                          .layer_seconds = seconds_of(work, &WorkSeconds::layer),
                          .host_seconds = seconds_of(work, &WorkSeconds::host),
                          .overhead_seconds = none,
                          .exchange_seconds = std::move(timeline_.portions.exchange_seconds)};
  }
  Execution whole = run(Portion::whole);
  timeline_.attention_seconds = attention_seconds(whole);
  timeline_.overhead_seconds = none;
  timeline_.seconds = std::move(whole.end_seconds);
  timeline_.events = std::move(whole.events);
  return std::move(timeline_);
}

}  // namespace cpbench
