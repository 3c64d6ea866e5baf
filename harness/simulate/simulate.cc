#include "harness/simulate/simulate.h"

#include "harness/simulate/engine.h"
#include "harness/simulate/make_schedule.h"
#include "harness/simulate/run_simgrid.h"

namespace cpbench {
namespace {

void count_messages(const Program& program, Timeline& timeline) {
  const size_t ranks = program.ranks.size();
  timeline.bytes_sent.resize(ranks * ranks);
  timeline.messages.resize(ranks * ranks);
  for (size_t rank = 0; rank < ranks; ++rank) {
    const RankProgram& own = program.ranks[rank];
    for (const Op& op : own.ops) {
      if (op.kind != OpKind::send) continue;
      const Message& message = own.messages[op.index];
      timeline.bytes_sent[rank * ranks + message.peer] += message.bytes;
      ++timeline.messages[rank * ranks + message.peer];
    }
  }
}

// What a rank spends in no activity is nothing here: tasks follow one another.
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

Timeline simulate(const Problem& problem, const Plan& plan, const Program& program,
                  const SimulatedMachine& on) {
  const Costs costs{problem.shape, on.machine, on.kernel, on.profile};
  std::vector<PricedRank> priced;
  for (int32_t rank = 0; rank < plan.ranks; ++rank) {
    priced.push_back(price(program.ranks[rank], program.passes,
                           size_of(plan.token_sets[plan.home[rank]]), costs));
  }
  const Schedule schedule = make_schedule(plan, std::move(priced), on.machine, on.profile);
  Execution execution = on.network == NetworkModel::simgrid
                            ? run_simgrid(schedule, on.machine, on.profile, simgrid_program())
                            : run(schedule, on.machine, on.profile);
  Timeline timeline;
  timeline.ranks = plan.ranks;
  timeline.iterations = 1;
  timeline.seconds = std::move(execution.end_seconds);
  timeline.events = std::move(execution.events);
  for (const RankProgram& rank : program.ranks) timeline.peak_bytes.push_back(rank.arena_bytes);
  sum_attention(timeline);
  count_messages(program, timeline);
  return timeline;
}

}  // namespace cpbench
