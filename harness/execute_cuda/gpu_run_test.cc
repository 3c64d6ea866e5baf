#include "harness/execute_cuda/gpu_run.h"

#include <atomic>
#include <chrono>
#include <thread>

#include "harness/execute/processes/local_wire_for_tests.h"
#include "harness/execute_cuda/copy_transport.h"
#include "harness/execute_cuda/gpu_rank.h"
#include "harness/execute_cuda/gpu_test.h"
#include "harness/execute_cuda/job_for_tests.h"

namespace cpbench {
namespace {

// Calls `before_bind` and binds with the reference kernel.
class WatchedKernel : public GpuKernel {
 public:
  explicit WatchedKernel(std::function<void()> before_bind)
      : before_bind_(std::move(before_bind)) {}
  void check(const AttentionShape& shape) const override { inner_->check(shape); }
  std::unique_ptr<BoundCall> bind(const ForwardCall& call) const override {
    before_bind_();
    return inner_->bind(call);
  }
  std::unique_ptr<BoundCall> bind(const BackwardCall& call) const override {
    before_bind_();
    return inner_->bind(call);
  }

 private:
  std::unique_ptr<GpuKernel> inner_ = make_gpu_reference_kernel();
  std::function<void()> before_bind_;
};

// Calls `at_barrier` and forwards to the copy transport.
class WatchedTransport : public DeviceTransport {
 public:
  WatchedTransport(std::vector<int32_t> devices, std::function<void(int32_t rank)> at_barrier)
      : inner_(std::move(devices)), at_barrier_(std::move(at_barrier)) {}
  void exchange(int32_t rank, std::span<const DeviceMessage> sends,
                std::span<const DeviceMessage> receives, cudaStream_t stream) override {
    inner_.exchange(rank, sends, receives, stream);
  }
  void collective(int32_t rank, const DeviceCollective& call, cudaStream_t stream) override {
    inner_.collective(rank, call, stream);
  }
  void barrier(int32_t rank, cudaStream_t stream) override {
    at_barrier_(rank);
    inner_.barrier(rank, stream);
  }
  bool supports_graphs() const override { return false; }
  void check(int32_t) override {}
  void close() override { inner_.close(); }

 private:
  CopyTransport inner_;
  std::function<void(int32_t rank)> at_barrier_;
};

struct CountingListener : ProgressListener {
  void operation_started(int32_t, int32_t, int32_t, int32_t) override { ++operations; }
  int64_t operations = 0;
};

using GpuRunTest = GpuTest;

TEST_F(GpuRunTest, each_bound_call_is_progress) {
  const JobForTests job(3);
  CopyTransport transport({0, 0, 0});
  CountingListener listener;
  std::vector<int64_t> operations;
  const WatchedKernel kernel([&] { operations.push_back(listener.operations); });
  const GpuRank rank(job.program, 2, Exchanges(job.plan), kernel, transport, listener);
  EXPECT_EQ(operations, (std::vector<int64_t>{0, 1, 2, 3}));
  EXPECT_EQ(listener.operations, 4);
}

// In an exchange a rank has no progress to report while it waits for a process that still binds.
TEST_F(GpuRunTest, no_rank_waits_for_another_before_all_processes_have_bound_their_calls) {
  const JobForTests job(2);
  const size_t calls = job.program.ranks[0].calls.size() + job.program.ranks[1].calls.size();
  std::atomic<size_t> bound = 0;
  std::atomic<bool> early = false;
  WatchedTransport transport({0, 0}, [&](int32_t) { early = early || bound < calls; });
  const auto thrown = run_together(2, 60, [&](ProcessGroup& group) {
    const WatchedKernel kernel([&] {
      if (group.rank() == 1) std::this_thread::sleep_for(std::chrono::milliseconds(50));
      ++bound;
    });
    const auto reports = job.run(kernel, transport, {group.rank(), {0}}, &group);
    EXPECT_LE(reports.front().accuracy.max_error_gradient, 1e-10);
  });
  EXPECT_EQ(thrown, std::vector<std::string>(2));
  EXPECT_FALSE(early);
}

}  // namespace
}  // namespace cpbench
