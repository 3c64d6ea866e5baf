#include "harness/execute_cuda/gpu_run.h"

#include <dlfcn.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "harness/execute/processes/local_wire_for_tests.h"
#include "harness/execute_cuda/copy_transport.h"
#include "harness/execute_cuda/gpu_rank.h"
#include "harness/execute_cuda/gpu_test.h"
#include "harness/execute_cuda/job_for_tests.h"
#include "harness/execute_cuda/nccl_transport.h"

namespace {

// What must not happen in an iteration that is timed: how often, and when last.
struct Preparations {
  std::atomic<int64_t> barriers = 0, last_after_barriers = 0;
  std::atomic<unsigned long long> graph_flags = 0;
  void note() { last_after_barriers = barriers.load(); }
} preparations;

template <typename Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

}  // namespace

// These stand before the functions of the CUDA runtime, and call them.
extern "C" {
cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned flags) {
  preparations.note();
  return next<decltype(cudaEventCreateWithFlags)>("cudaEventCreateWithFlags")(event, flags);
}
cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode mode) {
  preparations.note();
  return next<decltype(cudaStreamBeginCapture)>("cudaStreamBeginCapture")(stream, mode);
}
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph,
                                 unsigned long long flags) {
  preparations.note();
  preparations.graph_flags = flags;
  using Instantiate = cudaError_t(cudaGraphExec_t*, cudaGraph_t, unsigned long long);
  return next<Instantiate>("cudaGraphInstantiate")(executable, graph, flags);
}
}

namespace cpbench {
namespace {

// The reference kernel, which says when it is about to bind or launch a call.
class WatchedKernel : public GpuKernel {
 public:
  using Notice = std::function<void()>;
  explicit WatchedKernel(
      Notice before_bind, Notice before_launch = [] {})
      : before_bind_(std::move(before_bind)), before_launch_(std::move(before_launch)) {}
  void check(const AttentionShape& shape) const override { inner_->check(shape); }
  std::unique_ptr<BoundCall> bind(const ForwardCall& call) const override { return watch(call); }
  std::unique_ptr<BoundCall> bind(const BackwardCall& call) const override { return watch(call); }

 private:
  struct Bound : BoundCall {
    Bound(std::unique_ptr<BoundCall> inner, const Notice& before_launch)
        : inner(std::move(inner)), before_launch(before_launch) {}
    int64_t workspace_bytes() const override { return inner->workspace_bytes(); }
    void launch(cudaStream_t stream, std::byte* workspace) const override {
      before_launch();
      inner->launch(stream, workspace);
    }
    std::unique_ptr<BoundCall> inner;
    const Notice& before_launch;
  };
  template <typename Call>
  std::unique_ptr<BoundCall> watch(const Call& call) const {
    before_bind_();
    return std::make_unique<Bound>(inner_->bind(call), before_launch_);
  }

  std::unique_ptr<GpuKernel> inner_ = make_gpu_reference_kernel();
  Notice before_bind_, before_launch_;
};

constexpr int64_t kMessages = 100;  // at least those of the programs

// Calls `at_barrier` and forwards to the copy transport.
class WatchedTransport : public DeviceTransport {
 public:
  WatchedTransport(std::vector<int32_t> devices, std::function<void(int32_t rank)> at_barrier)
      : inner_(std::move(devices), kMessages), at_barrier_(std::move(at_barrier)) {}
  void connect(std::span<const RankLinks> links) override {
    connected.assign(links.begin(), links.end());
  }
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

  std::vector<RankLinks> connected;

 private:
  CopyTransport inner_;
  std::function<void(int32_t rank)> at_barrier_;
};

// NCCL with one rank, which counts its barriers: each iteration begins with one.
class OneNcclRank : public NcclTransport {
 public:
  OneNcclRank() : NcclTransport(new_id(), 1, {0, {0}}, 60) {}
  void barrier(int32_t rank, cudaStream_t stream) override {
    ++preparations.barriers;
    NcclTransport::barrier(rank, stream);
  }
};

struct CountingListener : ProgressListener {
  void operation_started(int32_t, int32_t, int32_t, int32_t) override { ++operations; }
  int64_t operations = 0;
};

using GpuRunTest = GpuTest;

TEST_F(GpuRunTest, each_bound_call_is_progress) {
  const JobForTests job(3);
  CopyTransport transport({0, 0, 0}, kMessages);
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

TEST_F(GpuRunTest, the_buffers_of_nccl_are_not_memory_of_the_first_run) {
  cudaDeviceProp properties{};
  check_cuda(cudaGetDeviceProperties(&properties, 0), "cudaGetDeviceProperties");
  if (std::string(properties.name) != "Fake GPU") GTEST_SKIP() << "a GPU allocates by pages";
  setenv("FAKE_NCCL_BUFFERS", "1000000", 1);
  const JobForTests job(1);
  OneNcclRank transport;
  const auto kernel = make_gpu_reference_kernel();
  const int64_t first = job.run(*kernel, transport, {0, {0}}).front().peak_bytes;
  unsetenv("FAKE_NCCL_BUFFERS");
  EXPECT_EQ(first, job.run(*kernel, transport, {0, {0}}).front().peak_bytes);
  EXPECT_GE(first, job.program.ranks[0].arena_bytes);
}

TEST_F(GpuRunTest, all_calls_have_run_and_ranks_are_connected_before_the_first_iteration) {
  const JobForTests job(2);
  const size_t calls = job.program.ranks[0].calls.size() + job.program.ranks[1].calls.size();
  std::atomic<size_t> launches = 0, at_first_barrier = 0;
  std::atomic<bool> first = true;
  const WatchedKernel kernel([] {}, [&] { ++launches; });
  WatchedTransport transport({0, 0}, [&](int32_t) {
    if (first.exchange(false)) at_first_barrier = launches.load();
  });
  job.run(kernel, transport, {0, {0, 0}});
  EXPECT_EQ(at_first_barrier, calls);
  ASSERT_EQ(transport.connected.size(), 2u);  // rank 0 sends keys and receives their gradients
  EXPECT_EQ(transport.connected[0].sends_to, std::set<int32_t>{1});
  EXPECT_EQ(transport.connected[0].receives_from, std::set<int32_t>{1});
  EXPECT_EQ(transport.connected[1].sends_to, std::set<int32_t>{0});
}

TEST_F(GpuRunTest, portions_follow_the_samples_and_count_nothing) {
  JobForTests job(2);
  std::atomic<size_t> launches = 0;
  const WatchedKernel kernel([] {}, [&] { ++launches; });
  const auto run = [&] {
    launches = 0;
    CopyTransport transport({0, 0}, kMessages);
    return job.run(kernel, transport, {0, {0, 0}});
  };
  const std::vector<RankReport> without = run();
  const size_t launches_without = launches;
  job.options.portions = true;
  const std::vector<RankReport> with = run();
  const size_t calls = job.program.ranks[0].calls.size() + job.program.ranks[1].calls.size();
  EXPECT_EQ(launches, launches_without + 3 * 2 * calls);  // work alone, with and without a trace
  for (int32_t rank : {0, 1}) {
    EXPECT_EQ(with[rank].bytes_sent, without[rank].bytes_sent);
    EXPECT_EQ(with[rank].messages, without[rank].messages);
    EXPECT_EQ(with[rank].output_hash, without[rank].output_hash);
    EXPECT_TRUE(without[rank].portions.work_seconds.empty());
    for (auto times : PortionTimes::members()) {
      EXPECT_EQ((with[rank].portions.*times).size(), 3u);
    }
  }
}

// The accuracy of a run whose shape has a layer, over NCCL or by copies.
Accuracy accuracy_of_layer(Dtype dtype, DeviceTransport& transport, bool graph) {
  Problem problem = problem_for_tests(2);
  problem.shape.dtype = dtype;
  problem.shape.hidden_size = 24;
  problem.shape.ffn_size = 40;
  JobForTests job(problem);
  job.options.iterations = 1;
  job.options.graph = graph;
  job.options.portions = !graph;
  Reports all(job.program, job.options, job.reference);
  int32_t rank = 0;
  for (const RankReport& report : job.run(*make_gpu_reference_kernel(), transport, {0, {0, 1}})) {
    EXPECT_EQ(std::ranges::count(report.events, Activity::layer, &Event::activity), 4);
    for (const double seconds : report.portions.layer_seconds) EXPECT_GT(seconds, 0);
    for (const double seconds : report.overhead_seconds) EXPECT_GE(seconds, 0);
    all.add(report, rank++);
  }
  return all.timeline().accuracy;
}

TEST_F(GpuRunTest, a_layer_is_that_of_one_device) {
  int gpus = 0;
  check_cuda(cudaGetDeviceCount(&gpus), "cudaGetDeviceCount");
  if (gpus < 2) GTEST_SKIP() << "fewer GPUs than ranks";
  for (Dtype dtype : {Dtype::float64, Dtype::bfloat16}) {
    const bool graph = dtype == Dtype::bfloat16;
    CopyTransport copies({0, 1}, kMessages);
    const Accuracy by_copies = accuracy_of_layer(dtype, copies, graph);
    EXPECT_TRUE(by_copies.ok()) << by_copies.max_error_gradient;
    NcclTransport nccl(NcclTransport::new_id(), 2, {0, {0, 1}}, 60);
    const Accuracy over_nccl = accuracy_of_layer(dtype, nccl, graph);
    EXPECT_EQ(over_nccl.max_error_output, by_copies.max_error_output);
    EXPECT_EQ(over_nccl.max_error_gradient, by_copies.max_error_gradient);
  }
}

class GpuPreparations : public GpuRunTest, public testing::WithParamInterface<bool> {};

TEST_P(GpuPreparations, nothing_is_captured_or_created_in_a_timed_iteration) {
  JobForTests job(1);
  job.options.graph = GetParam();
  job.options.iterations = 5;
  job.options.portions = true;
  OneNcclRank transport;
  preparations.barriers = 0;
  job.run(*make_gpu_reference_kernel(), transport, {0, {0}});
  const int64_t timed = 2 * job.options.iterations;  // samples, and traced iterations
  EXPECT_LE(preparations.last_after_barriers, preparations.barriers - timed - 1);
}
INSTANTIATE_TEST_SUITE_P(Graph, GpuPreparations, testing::Bool());

TEST_F(GpuRunTest, a_graph_keeps_the_priority_of_exchanges) {
  JobForTests job(1);
  job.options.graph = true;
  OneNcclRank transport;
  job.run(*make_gpu_reference_kernel(), transport, {0, {0}});
  EXPECT_EQ(preparations.graph_flags, cudaGraphInstantiateFlagUseNodePriority);
}

}  // namespace
}  // namespace cpbench
