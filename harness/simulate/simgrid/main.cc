// cpbench-simgrid runs one Schedule over the simgrid network. cpbench starts it for
// `network = simgrid`. It is a program of its own because SimGrid brings MPI's symbols with it.
//
//   cpbench-simgrid < job > execution          (messages of harness/simulate/simulation_job.h)
//
// Exit codes: 0 done, 1 internal error, 2 bad input; the reason is one line on stderr.
#include <signal.h>
#include <sys/prctl.h>

#include <cstdio>
#include <exception>
#include <iostream>
#include <iterator>
#include <string>

#include "harness/plan/errors.h"
#include "harness/simulate/simgrid/simgrid_network.h"
#include "harness/simulate/simulation_job.h"

namespace {

void simulate() {
  std::ios::sync_with_stdio(false);  // reads in blocks
  const std::string input(std::istreambuf_iterator<char>(std::cin), {});
  const cpbench::SimulationJob job = cpbench::parse_job(input);
  cpbench::SimgridNetwork network(job.machine);
  cpbench::Execution execution;
  network.simulate([&] {
    execution = cpbench::run(job.schedule, job.machine, job.profile, network, job.portion);
  });
  const std::string bytes = cpbench::execution_bytes(execution);
  if (std::fwrite(bytes.data(), 1, bytes.size(), stdout) != bytes.size() ||
      std::fflush(stdout) != 0) {
    throw std::runtime_error("cannot write the result");
  }
}

}  // namespace

int main(int argc, char** argv) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // ends with the cpbench that started it
  try {
    if (argc > 1) {
      throw cpbench::UserError(std::string("unexpected argument '") + argv[1] +
                               "'; usage: cpbench-simgrid < job > execution");
    }
    simulate();
    return 0;
  } catch (const cpbench::UserError& error) {
    std::fprintf(stderr, "cpbench-simgrid: %s\n", error.what());
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "cpbench-simgrid: %s\n", error.what());
    return 1;
  }
}
