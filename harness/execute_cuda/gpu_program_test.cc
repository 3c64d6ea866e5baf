#include "harness/execute_cuda/gpu_program.h"

#include <cmath>

#include "harness/execute/program_for_tests.h"
#include "harness/execute_cuda/gpu_test.h"

namespace cpbench {
namespace {

Problem problem_of(int32_t ranks) {
  Problem problem;
  problem.batch.document_lengths = {40, 24};
  problem.shape = {
      .query_heads = 2, .kv_heads = 1, .head_dim = 8, .value_head_dim = 8, .dtype = Dtype::float64};
  problem.cluster.gpus_per_node = ranks;
  return problem;
}

using GpuProgramTest = GpuTest;

TEST_F(GpuProgramTest, inputs_are_not_overwritten_by_the_first_value_of_memory) {
  const Problem problem = problem_of(1);
  const Program program = program_of(problem);
  const auto kernel = make_gpu_reference_kernel();
  for (int i = 0; i < 50; ++i) {
    GpuProgram on_gpu(program.ranks[0], problem.shape, *kernel);
    on_gpu.fill_inputs(1, stream_);
    check_cuda(cudaDeviceSynchronize(), "cudaDeviceSynchronize");
    const BoundBuffer& q = on_gpu.buffer(program.ranks[0].q);
    std::vector<double> values(q.parts.bytes / sizeof(double));
    check_cuda(cudaMemcpy(values.data(), q.data, q.parts.bytes, cudaMemcpyDeviceToHost), "copy");
    ASSERT_FALSE(std::ranges::any_of(values, [](double value) { return std::isnan(value); }));
  }
}

}  // namespace
}  // namespace cpbench
