#include "harness/execute_cuda/stream_flags.h"

#include <chrono>
#include <numeric>
#include <thread>

#include "harness/execute_cuda/gpu_test.h"
#include "harness/execute_cuda/stream.h"

namespace cpbench {
namespace {

using StreamFlagsTest = GpuTest;

// What the stream has done once it has had time for it.
bool goes_on(const Stream& stream) {
  const CudaEvent end;
  end.record(stream);
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  return end.done();
}

TEST_F(StreamFlagsTest, a_stream_waits_until_another_has_set_the_flag) {
  const StreamFlags flags(2);
  const Stream first, second;
  for (int i = 0; i < 3; ++i) {
    flags.set({0}, second);
    flags.wait({0, 1}, first);
    EXPECT_FALSE(goes_on(first));
    flags.set({1}, second);
    first.synchronize();
  }
}

TEST_F(StreamFlagsTest, a_graph_sets_and_waits_each_time) {
  const StreamFlags flags(2);
  const Stream captured, other;
  check_cuda(cudaStreamBeginCapture(captured, cudaStreamCaptureModeThreadLocal), "begin");
  flags.wait({0}, captured);
  flags.set({1}, captured);
  cudaGraph_t graph = nullptr;
  check_cuda(cudaStreamEndCapture(captured, &graph), "cudaStreamEndCapture");
  cudaGraphExec_t executable = nullptr;
  check_cuda(cudaGraphInstantiate(&executable, graph, 0), "cudaGraphInstantiate");
  check_cuda(cudaGraphDestroy(graph), "cudaGraphDestroy");
  for (int i = 0; i < 3; ++i) {
    check_cuda(cudaGraphLaunch(executable, captured), "cudaGraphLaunch");
    flags.wait({1}, other);
    EXPECT_FALSE(goes_on(captured));
    flags.set({0}, stream_);
    other.synchronize();
    captured.synchronize();
  }
  check_cuda(cudaGraphExecDestroy(executable), "cudaGraphExecDestroy");
}

TEST_F(StreamFlagsTest, any_number_of_flags_at_once) {
  const StreamFlags flags(1000);
  std::vector<int64_t> all(1000);
  std::iota(all.begin(), all.end(), 0);
  const Stream first, second;
  flags.set(all, first);
  flags.wait(all, second);
  second.synchronize();
}

TEST_F(StreamFlagsTest, setting_all_ends_all_waits) {
  StreamFlags flags(3);
  const Stream first, second;
  flags.wait({0, 1}, first);
  flags.wait({2}, second);
  flags.set_all();
  first.synchronize();
  second.synchronize();
}

}  // namespace
}  // namespace cpbench
