// Benchmarks of every strategy are registered here, when the registry's names exist; a static
// initialiser could run before them.
#include <benchmark/benchmark.h>

#include "tests/micro/plan_bench.h"

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  cpbench::register_plan_benchmarks();
  cpbench::register_fcp_benchmarks();
  cpbench::register_compile_benchmarks();
  cpbench::register_simulate_benchmarks();
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
