#include "harness/simulate/simulate.h"

#include "harness/simulate/engine.h"
#include "harness/simulate/make_schedule.h"
#include "harness/simulate/run_simgrid.h"

namespace cpbench {
namespace {

// There is no overhead: a simulated rank is always in some activity.
void sum_attention(Timeline& timeline) {
  timeline.attention_seconds.resize(timeline.ranks);
  timeline.overhead_seconds.resize(timeline.ranks);
  for (const Event& event : timeline.events) {
    if (event.activity == Activity::attention) {
      timeline.attention_seconds[event.rank] += event.end_seconds - event.start_seconds;
    }
  }
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

Detail Simulator::detail() const {
  return on_.profile.copies_by_slices ? Detail::full : Detail::outline;
}

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
  Execution execution = on_.network == NetworkModel::simgrid
                            ? run_simgrid(schedule, on_.machine, on_.profile, simgrid_program())
                            : cpbench::run(schedule, on_.machine, on_.profile);
  timeline_.seconds = std::move(execution.end_seconds);
  timeline_.events = std::move(execution.events);
  sum_attention(timeline_);
  return std::move(timeline_);
}

}  // namespace cpbench
