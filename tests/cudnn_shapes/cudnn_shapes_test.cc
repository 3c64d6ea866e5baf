// cuDNN has execution plans for all calls of the suites for GPUs.
#include <gtest/gtest.h>

#include <set>

#include "harness/compile/compile.h"
#include "harness/execute/bound_program.h"
#include "harness/execute_cuda/attention/cpu_machine_for_tests.h"
#include "harness/execute_cuda/attention/cudnn_call.h"
#include "harness/execute_cuda/cudnn/sdpa_graph.h"
#include "harness/plan/errors.h"
#include "harness/run/job.h"
#include "harness/run/run_job.h"

namespace cpbench {
namespace {

// An H200, as cuDNN describes it.
constexpr const char* kH200 = R"({
  "deviceName": "NVIDIA H200", "deviceVer": 900, "driverVer": 13000, "multiProcessorCount": 132,
  "maxGridSize": [2147483647, 65535, 65535], "maxBlockSize": [1024, 1024, 64],
  "regsPerBlock": 65536, "maxRegistersPerSM": 65536, "maxSharedMemoryPerBlock": 49152,
  "maxSharedMemoryPerBlockOptin": 232448, "reservedSharedMemoryPerBlock": 1024, "warpSize": 32,
  "maxCtasPerSM": 32, "maxThreadsPerBlock": 1024, "maxThreadsPerSM": 2048,
  "smClockRateKHz": 1980000, "memClockRateKHz": 3201000, "l2CacheSize": 62914560,
  "totalGlobalMem": 150000000000, "cudaDeviceId": 0, "pciDeviceId": 0, "isTccDriver": 0,
  "supportCoopLaunch": 1})";

constexpr int kOldestCudnn = 90800;

void add_shapes(const RankProgram& program, const AttentionShape& shape,
                std::set<CudnnShape>& shapes) {
  // Nothing is computed: only the alignment of addresses matters.
  alignas(kBufferAlignment) static std::byte arena[1];
  const BoundProgram bound(program, shape, arena);
  const auto add = [&](const CudnnShape& found) { shapes.insert(found); };
  for (const ForwardCall& call : bound.forward) {
    CudnnForwardCall<CpuMachine>(call).for_each_shape(add);
  }
  for (const BackwardCall& call : bound.backward) {
    CudnnBackwardCall<CpuMachine>(call).for_each_shape(add);
  }
}

std::set<CudnnShape> shapes_of_suite(const std::string& name) {
  std::set<CudnnShape> shapes;
  for (const Job& job : jobs_of(read_suite(name))) {
    for (const Batch& batch : *job.batches) {
      const Problem problem = job.problem(batch);
      try {
        const Plan plan = plan_pack(job, problem).pack.plan;
        const Program program = compile(problem, plan, job.spec.passes, job.backend->collectives);
        for (const RankProgram& rank : program.ranks) add_shapes(rank, problem.shape, shapes);
      } catch (const Unsupported&) {
        continue;  // by the strategy
      }
    }
  }
  return shapes;
}

class CudnnShapes : public testing::TestWithParam<const char*> {};

TEST_P(CudnnShapes, have_execution_plans_on_an_h200) {
  if (loaded_cudnn() < kOldestCudnn) GTEST_SKIP() << "cuDNN " << loaded_cudnn() << " is too old";
  const std::set<CudnnShape> shapes = shapes_of_suite(GetParam());
  EXPECT_FALSE(shapes.empty());
  for (const CudnnShape& shape : shapes) EXPECT_NO_THROW(check_sdpa_graph(shape, kH200));
  RecordProperty("shapes", static_cast<int>(shapes.size()));
}

INSTANTIATE_TEST_SUITE_P(Suites, CudnnShapes,
                         testing::Values("gpu_correctness", "gpu_replay", "gpu_regression",
                                         "quick_h100"),
                         [](const auto& test) { return std::string(test.param); });

}  // namespace
}  // namespace cpbench
