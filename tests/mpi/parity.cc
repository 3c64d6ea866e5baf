// Runs every strategy on real processes, and compares outputs, gradients, bytes and messages with
// those of ranks that are threads, bit for bit, forward and backward. It is started by mpirun and
// prints a line per difference. Processes communicate over MPI, or over the TCPStore that serves
// processes without MPI.
//
//   mpirun -np 4 build/mpi_parity
//   mpirun -np 4 build/mpi_parity store
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <memory>

#include "harness/compile/compile.h"
#include "harness/execute/processes/execute_processes.h"
#include "harness/execute/processes/launch_environment.h"
#include "harness/execute/processes/store_wire.h"
#include "harness/plan/names.h"
#include "harness/strategy/strategy.h"

namespace cpbench {
namespace {

// Odd lengths, one-token documents, grouped queries, a layer around the attention; and fewer tokens
// than ranks.
std::vector<Problem> problems(int32_t ranks) {
  std::vector<Problem> all;
  for (const std::vector<int64_t>& lengths :
       {std::vector<int64_t>{7, 1, 130, 2, 290, 83}, std::vector<int64_t>{2, 1}}) {
    for (Dtype dtype : {Dtype::float32, Dtype::bfloat16}) {
      Problem problem;
      problem.batch.document_lengths = lengths;
      problem.shape = {
          .query_heads = 4, .kv_heads = 4, .head_dim = 16, .value_head_dim = 16, .dtype = dtype};
      if (dtype == Dtype::bfloat16) {
        problem.shape.kv_heads = 2;
        problem.shape.hidden_size = 24;
        problem.shape.ffn_size = 40;
      }
      problem.cluster.gpus_per_node = ranks;
      all.push_back(problem);
    }
  }
  return all;
}

template <typename T>
void compare(const std::string& what, const T& processes, const T& threads, int& differences) {
  if (processes == threads) return;
  std::cout << what << " differ\n";
  ++differences;
}

int compare(const std::string& name, const Timeline& processes, const Timeline& threads) {
  int differences = 0;
  compare(name + ": output bits", processes.output_hash, threads.output_hash, differences);
  compare(name + ": bytes", processes.bytes_sent, threads.bytes_sent, differences);
  compare(name + ": messages", processes.messages, threads.messages, differences);
  compare(name + ": output errors", processes.accuracy.max_error_output,
          threads.accuracy.max_error_output, differences);
  compare(name + ": gradient errors", processes.accuracy.max_error_gradient,
          threads.accuracy.max_error_gradient, differences);
  if (!processes.accuracy.ok()) {
    std::cout << name << ": the result is outside the tolerance\n";
    ++differences;
  }
  return differences;
}

int run(ProcessGroup& group) {
  int differences = 0, compared = 0;
  const ExecuteOptions options{.warmup = 0, .iterations = 2};
  for (const Strategy* strategy : strategies()) {
    for (const Problem& problem : problems(group.size())) {
      std::optional<Plan> plan;
      try {
        plan = strategy->plan(problem, Options(strategy->name, strategy->options, {}));
      } catch (const Unsupported&) {
        continue;  // on every rank
      }
      const Program program = compile(problem, *plan, options.passes);
      Timeline processes;
      group.together([&] { processes = execute_processes(problem, program, options, group); });
      if (group.rank() > 0) continue;
      ++compared;
      const std::string name = std::string(strategy->name) + ", " +
                               std::to_string(problem.tokens()) + " tokens, " +
                               name_of(problem.shape.dtype);
      differences += compare(name, processes, execute_threads(problem, program, options));
    }
  }
  if (group.rank() == 0) {
    std::cout << compared << " plans of " << strategies().size() << " strategies on "
              << group.size() << " processes, " << differences << " differences\n";
  }
  const bool enough = group.rank() > 0 || compared >= static_cast<int>(strategies().size());
  return differences == 0 && enough ? 0 : 1;
}

}  // namespace
}  // namespace cpbench

int main(int argc, char** argv) {
  constexpr double kTimeoutSeconds = 60;
  const bool by_store = argc > 1 && std::string(argv[1]) == "store";
  const std::unique_ptr<cpbench::Wire> wire =
      by_store ? cpbench::open_store_wire(cpbench::launch_environment().value(), kTimeoutSeconds)
               : cpbench::open_mpi_wire();
  cpbench::ProcessGroup group(*wire);
  try {
    const int code = cpbench::run(group);
    wire->finish();
    return code;
  } catch (const std::exception& error) {
    std::cerr << "rank " << wire->rank() << ": " << error.what() << "\n";
    wire->abort(1);
  }
}
