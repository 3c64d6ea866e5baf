#include "harness/execute/gpus/execute_gpus.h"

#include <array>

#include "harness/execute/gpus/gpu_reference.h"
#include "harness/execute/processes/report_messages.h"

namespace cpbench {
namespace {

constexpr int32_t kCountTag = 0;

// Each other process sends which ranks it runs, and then their reports.
void gather(ProcessGroup& group, const std::vector<RankReport>& mine, int32_t first_rank,
            Timeline& timeline) {
  if (group.rank() > 0) {
    const std::array<int32_t, 2> range = {first_rank, static_cast<int32_t>(mine.size())};
    group.send(group.rank(), 0, kCountTag, std::as_bytes(std::span(range)));
    for (const RankReport& report : mine) send_report(group, report);
    return;
  }
  for (int32_t other = 1; other < group.size(); ++other) {
    std::array<int32_t, 2> range{};
    group.receive(other, 0, kCountTag, std::as_writable_bytes(std::span(range)));
    for (int32_t i = 0; i < range[1]; ++i) {
      add_report(receive_report(group, other, timeline.ranks), range[0] + i, timeline);
    }
  }
}

}  // namespace

Timeline execute_gpus(const Problem& problem, const Plan& plan, const Program& program,
                      const ExecuteOptions& options, GpuTransport transport,
                      const RanksOfProcess& mine, ProcessGroup* group) {
  // A process without ranks compares nothing, and has no GPU of its own.
  const auto reference = mine.devices.empty()
                             ? std::make_shared<const Reference>()
                             : gpu_reference_for(problem, options, mine.devices.front());
  Timeline timeline = empty_timeline(program, options, *reference);
  const std::vector<RankReport> reports = open_gpus().run({.problem = problem,
                                                           .plan = plan,
                                                           .program = program,
                                                           .options = options,
                                                           .reference = *reference,
                                                           .transport = transport,
                                                           .ranks = mine,
                                                           .group = group});
  for (size_t i = 0; i < reports.size(); ++i) {
    add_report(reports[i], mine.first_rank + static_cast<int32_t>(i), timeline);
  }
  if (group) gather(*group, reports, mine.first_rank, timeline);
  return timeline;
}

}  // namespace cpbench
