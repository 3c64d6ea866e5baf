// Benchmarks of GPU code:
//
//   build/cpbench_gpu_micro --benchmark_filter=merge
//
// The exit code is 77 if there is no GPU.
#include <benchmark/benchmark.h>

#include <cstdio>

#include "tests/gpu_micro/gpu_bench.h"

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  int gpus = 0;
  if (cudaGetDeviceCount(&gpus) != cudaSuccess) {
    std::fputs("cpbench_gpu_micro: no GPU here\n", stderr);
    return 77;
  }
  cpbench::register_rows();
  cpbench::register_attention();
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
