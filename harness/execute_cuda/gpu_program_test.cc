#include "harness/execute_cuda/gpu_program.h"

#include <cmath>

#include "harness/execute_cuda/gpu_test.h"
#include "harness/execute_cuda/job_for_tests.h"

namespace cpbench {
namespace {

using GpuProgramTest = GpuTest;

TEST_F(GpuProgramTest, inputs_are_not_overwritten_by_the_first_value_of_memory) {
  const Problem problem = problem_for_tests(1);
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
