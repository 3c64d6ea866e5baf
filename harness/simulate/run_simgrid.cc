#include "harness/simulate/run_simgrid.h"

#include <stdexcept>

#include "harness/plan/errors.h"
#include "harness/programs/find_program.h"
#include "harness/programs/run_program.h"
#include "harness/simulate/simulation_job.h"

namespace cpbench {
namespace {

constexpr const char* kProgram = "cpbench-simgrid";
constexpr const char* kHowToGetIt =
    "; install the package libsimgrid-dev and build again, or use network = ports";
constexpr int kLibraryIsMissing = 127;  // exit status of the dynamic linker

}  // namespace

std::string simgrid_program() {
  const std::string program = find_program(kProgram);
  if (!program.empty()) return program;
  throw UserError(std::string("network simgrid requires the program ") + kProgram +
                  ", which is neither in " + own_folder().string() + " nor on PATH" + kHowToGetIt);
}

Execution run_simgrid(const Schedule& schedule, const ClusterModel& machine, const Profile& profile,
                      const std::string& program, Portion portion) {
  if (machine.pair_bytes_per_second > 0 || machine.pooled_nics) {
    throw UserError("network simgrid has neither meshes nor pooled NICs, but cluster '" +
                    machine.name + "' has " + (machine.pooled_nics ? "pooled NICs" : "a mesh") +
                    "; use network = ports");
  }
  const ProgramRun run = run_program(program, job_bytes(schedule, machine, profile, portion),
                                     {.name = program, .hint = kHowToGetIt});
  if (run.exit_status == kLibraryIsMissing) throw UserError(run.last_words + kHowToGetIt);
  if (run.exit_status != 0) throw std::runtime_error(run.last_words);
  return parse_execution(run.output, schedule.size());
}

}  // namespace cpbench
