#include "harness/execute/gpus/execute_gpus.h"

#include <array>

#include "harness/execute/gpus/gpu_reference.h"
#include "harness/execute/processes/report_messages.h"

namespace cpbench {
namespace {

constexpr int32_t kCountTag = 0;

// Each other process sends which ranks it runs, and then their reports.
void gather(ProcessGroup& group, const std::vector<RankReport>& mine, int32_t first_rank,
            Reports& reports) {
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
      reports.add(receive_report(group, other, reports.ranks()), range[0] + i);
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
  Reports reports(program, options, *reference);
  const std::vector<RankReport> own = open_gpus().run({.problem = problem,
                                                       .plan = plan,
                                                       .program = program,
                                                       .options = options,
                                                       .reference = *reference,
                                                       .transport = transport,
                                                       .ranks = mine,
                                                       .group = group});
  for (size_t i = 0; i < own.size(); ++i) {
    reports.add(own[i], mine.first_rank + static_cast<int32_t>(i));
  }
  if (group) gather(*group, own, mine.first_rank, reports);
  return reports.timeline();
}

}  // namespace cpbench
