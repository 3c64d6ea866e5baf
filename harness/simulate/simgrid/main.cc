// cpbench-simgrid: runs one Schedule over the simgrid network. cpbench starts it for
// `network = simgrid`; it is a program of its own because SimGrid brings MPI's symbols with it.
//
//   cpbench-simgrid < schedule.txt > execution.txt          (the text of
//   harness/simulate/job_text.h)
//
// Exit codes: 0 done, 1 a defect, 2 bad input; the reason is one line on stderr.
#include <cstdio>
#include <exception>
#include <iostream>
#include <iterator>
#include <string>

#include "harness/plan/errors.h"
#include "harness/simulate/job_text.h"
#include "harness/simulate/simgrid/simgrid_network.h"

namespace {

std::string read_all(std::FILE* file) {
  std::string text;
  char block[1 << 16];
  while (const size_t got = std::fread(block, 1, sizeof(block), file)) text.append(block, got);
  return text;
}

void simulate() {
  const cpbench::SimulationJob job = cpbench::parse_job(read_all(stdin));
  cpbench::SimgridNetwork network(job.machine);
  cpbench::Execution execution;
  network.simulate(
      [&] { execution = cpbench::run(job.schedule, job.machine, job.profile, network); });
  const std::string text = cpbench::execution_text(execution);
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) {
    throw std::runtime_error("the result could not be written");
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc > 1) {
      throw cpbench::UserError(std::string("unexpected argument '") + argv[1] +
                               "'; usage: cpbench-simgrid < schedule.txt > execution.txt");
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
