#include "harness/execute_cuda/gate.h"

#include <atomic>
#include <chrono>
#include <thread>

#include "harness/execute_cuda/copy_transport.h"
#include "harness/execute_cuda/gpu_test.h"
#include "harness/execute_cuda/gpu_timing.h"
#include "harness/execute_cuda/job_for_tests.h"
#include "harness/execute_cuda/stopwatch.h"

namespace cpbench {
namespace {

using Count = std::atomic<int64_t>;

void count_on(cudaStream_t stream, Count& count) {
  const auto add = [](void* data) { ++*static_cast<Count*>(data); };
  check_cuda(cudaLaunchHostFunc(stream, add, &count), "cudaLaunchHostFunc");
}

// Long enough for a GPU to run what is enqueued, if it may.
void give_time() { std::this_thread::sleep_for(std::chrono::milliseconds(5)); }

class GateTest : public GpuTest {};

TEST_F(GateTest, nothing_behind_a_gate_runs_before_it_opens) {
  Gate gate;
  Count ran = 0;
  for (int64_t i = 0; i < 3; ++i) {
    gate.close(stream_);
    count_on(stream_, ran);
    give_time();
    EXPECT_EQ(ran, i);
    gate.open();
    check_cuda(cudaStreamSynchronize(stream_), "cudaStreamSynchronize");
    EXPECT_EQ(ran, i + 1);
  }
}

TEST_F(GateTest, a_gate_that_the_host_forgets_opens_by_itself) {
  Gate gate;
  Count ran = 0;
  gate.close(stream_);
  count_on(stream_, ran);
  check_cuda(cudaStreamSynchronize(stream_), "cudaStreamSynchronize");
  EXPECT_EQ(ran, 1);
}

// The reference kernel, which counts the launches that find an earlier one still waiting.
class SlowLaunches : public GpuKernel {
 public:
  void check(const AttentionShape& shape) const override { inner_->check(shape); }
  std::unique_ptr<BoundCall> bind(const ForwardCall& call) const override { return bound(call); }
  std::unique_ptr<BoundCall> bind(const BackwardCall& call) const override { return bound(call); }

  mutable Count launched = 0, ran = 0, found_waiting = 0;

 private:
  struct Bound : BoundCall {
    Bound(std::unique_ptr<BoundCall> inner, const SlowLaunches& kernel)
        : inner(std::move(inner)), kernel(kernel) {}
    int64_t workspace_bytes() const override { return inner->workspace_bytes(); }
    void launch(cudaStream_t stream, std::byte* workspace) const override {
      if (kernel.found_waiting == 0) give_time();
      if (kernel.ran < kernel.launched) ++kernel.found_waiting;
      inner->launch(stream, workspace);
      ++kernel.launched;
      count_on(stream, kernel.ran);
    }
    std::unique_ptr<BoundCall> inner;
    const SlowLaunches& kernel;
  };
  template <typename Call>
  std::unique_ptr<BoundCall> bound(const Call& call) const {
    return std::make_unique<Bound>(inner_->bind(call), *this);
  }
  std::unique_ptr<GpuKernel> inner_ = make_gpu_reference_kernel();
};

// Otherwise a slow host would add to the times.
TEST_F(GateTest, iterations_and_replays_start_when_all_operations_are_enqueued) {
  const JobForTests job(1);
  {
    const SlowLaunches kernel;
    CopyTransport transport({0}, 0);
    job.run(kernel, transport, {0, {0}});
    EXPECT_GT(kernel.found_waiting, 0);
  }
  {
    const SlowLaunches kernel;
    replay_program(job.program.shape, job.program.ranks[0], kernel,
                   {.kernel = "reference", .iterations = 1});
    EXPECT_GT(kernel.found_waiting, 0);
  }
}

TEST_F(GateTest, a_stopwatch_starts_when_all_repeats_are_enqueued) {
  Count launched = 0, ran = 0, found_waiting = 0;
  Stopwatch(stream_).seconds(
      [&] {
        give_time();
        if (ran < launched) ++found_waiting;
        ++launched;
        count_on(stream_, ran);
      },
      4);
  EXPECT_EQ(found_waiting, 3);
}

}  // namespace
}  // namespace cpbench
