// The behaviour of CUDA on which programs rely, and which the fake GPU must therefore have: the
// order in streams, events and capture. The same tests run on a real GPU, except those of what only
// the fake GPU does.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "harness/execute_cuda/device_array.h"
#include "harness/execute_cuda/gpu_test.h"
#include "harness/execute_cuda/rows.h"
#include "harness/execute_cuda/stream.h"

namespace cpbench {
namespace {

constexpr int64_t kCount = 1 << 12;

class CudaTest : public GpuTest {
 protected:
  void SetUp() override {
    GpuTest::SetUp();
    if (IsSkipped()) return;
    cudaDeviceProp properties;
    check_cuda(cudaGetDeviceProperties(&properties, 0), "cudaGetDeviceProperties");
    fake_ = std::string(properties.name) == "Fake GPU";
    check_cuda(cudaStreamCreateWithFlags(&other_, cudaStreamNonBlocking), "cudaStreamCreate");
    check_cuda(cudaEventCreateWithFlags(&forked_, cudaEventDisableTiming), "cudaEventCreate");
    check_cuda(cudaEventCreateWithFlags(&joined_, cudaEventDisableTiming), "cudaEventCreate");
    data_ = DeviceArray<int32_t>(kCount);
    copy_ = DeviceArray<int32_t>(kCount);
    check_cuda(cudaMemset(data_.data(), 0, kCount * 4), "cudaMemset");
    check_cuda(cudaDeviceSynchronize(), "cudaDeviceSynchronize");
  }
  void TearDown() override {
    if (other_ != nullptr) {
      check_cuda(cudaStreamDestroy(other_), "cudaStreamDestroy");
      check_cuda(cudaEventDestroy(forked_), "cudaEventDestroy");
      check_cuda(cudaEventDestroy(joined_), "cudaEventDestroy");
    }
    GpuTest::TearDown();
  }

  void set(int32_t byte, cudaStream_t stream) {
    check_cuda(cudaMemsetAsync(data_.data(), byte, kCount * 4, stream), "cudaMemsetAsync");
  }
  void copy(cudaStream_t stream) {
    check_cuda(
        cudaMemcpyAsync(copy_.data(), data_.data(), kCount * 4, cudaMemcpyDeviceToDevice, stream),
        "cudaMemcpyAsync");
  }
  // `later` continues once `earlier` has run everything that was enqueued so far.
  void after(cudaStream_t later, cudaEvent_t event, cudaStream_t earlier) {
    check_cuda(cudaEventRecord(event, earlier), "cudaEventRecord");
    check_cuda(cudaStreamWaitEvent(later, event, 0), "cudaStreamWaitEvent");
  }
  // The value that all elements have; -7 if they differ.
  static int32_t all_of(const DeviceArray<int32_t>& array) {
    check_cuda(cudaDeviceSynchronize(), "cudaDeviceSynchronize");
    std::vector<int32_t> host(kCount);
    check_cuda(cudaMemcpy(host.data(), array.data(), kCount * 4, cudaMemcpyDeviceToHost),
               "cudaMemcpy");
    return std::ranges::count(host, host[0]) == kCount ? host[0] : -7;
  }
  cudaGraphExec_t captured(const std::function<void()>& work) {
    check_cuda(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeThreadLocal), "begin");
    work();
    cudaGraph_t graph = nullptr;
    check_cuda(cudaStreamEndCapture(stream_, &graph), "cudaStreamEndCapture");
    cudaGraphExec_t executable = nullptr;
    check_cuda(cudaGraphInstantiate(&executable, graph, 0), "cudaGraphInstantiate");
    check_cuda(cudaGraphDestroy(graph), "cudaGraphDestroy");
    return executable;
  }
  // The error code at the end of a capture of `work`.
  cudaError_t end_of_capture(const std::function<void()>& work) {
    check_cuda(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeThreadLocal), "begin");
    work();
    cudaGraph_t graph = nullptr;
    const cudaError_t code = cudaStreamEndCapture(stream_, &graph);
    static_cast<void>(cudaGetLastError());
    return code;
  }

  bool fake_ = false;
  cudaStream_t other_ = nullptr;
  cudaEvent_t forked_ = nullptr, joined_ = nullptr;
  DeviceArray<int32_t> data_, copy_;
};

TEST_F(CudaTest, a_stream_waits_for_the_event_of_another) {
  for (int32_t i = 1; i <= 100; ++i) {
    set(i, stream_);
    after(other_, forked_, stream_);
    copy(other_);
    after(stream_, joined_, other_);
    ASSERT_EQ(all_of(copy_), i * 0x01010101);
  }
}

TEST_F(CudaTest, a_missing_wait_is_noticed) {
  if (!fake_) GTEST_SKIP() << "on a GPU the result may be right";
  int wrong = 0;
  for (int32_t i = 1; i <= 100; ++i) {
    set(i, stream_);
    copy(other_);
    wrong += all_of(copy_) != i * 0x01010101;
  }
  EXPECT_GT(wrong, 0);
}

TEST_F(CudaTest, a_copy_to_the_gpu_may_be_in_flight_when_its_call_returns) {
  if (!fake_) GTEST_SKIP() << "on a GPU the copy may have arrived";
  int wrong = 0;
  for (int32_t i = 1; i <= 100; ++i) {
    const std::vector<int32_t> values(kCount, i);
    check_cuda(cudaMemcpy(data_.data(), values.data(), kCount * 4, cudaMemcpyHostToDevice), "copy");
    copy(stream_);
    wrong += all_of(copy_) != i;
    copy_ = DeviceArray<int32_t>(std::span<const int32_t>(values));  // waits until it has arrived
    check_cuda(
        cudaMemcpyAsync(data_.data(), copy_.data(), kCount * 4, cudaMemcpyDeviceToDevice, stream_),
        "cudaMemcpyAsync");
    ASSERT_EQ(all_of(data_), i);
  }
  EXPECT_GT(wrong, 0);
}

TEST_F(CudaTest, an_event_that_was_never_recorded_counts_as_done) {
  EXPECT_EQ(cudaStreamWaitEvent(stream_, forked_, 0), cudaSuccess);
  EXPECT_EQ(cudaEventQuery(forked_), cudaSuccess);
  EXPECT_EQ(cudaEventSynchronize(forked_), cudaSuccess);
  set(3, stream_);
  EXPECT_EQ(all_of(data_), 0x03030303);
}

TEST_F(CudaTest, events_tell_the_time_between_them) {
  cudaEvent_t start = nullptr, end = nullptr;
  check_cuda(cudaEventCreate(&start), "cudaEventCreate");
  check_cuda(cudaEventCreate(&end), "cudaEventCreate");
  float milliseconds = -1;
  EXPECT_EQ(cudaEventElapsedTime(&milliseconds, start, end), cudaErrorInvalidResourceHandle);
  check_cuda(cudaEventRecord(start, stream_), "cudaEventRecord");
  set(1, stream_);
  check_cuda(cudaEventRecord(end, stream_), "cudaEventRecord");
  check_cuda(cudaEventSynchronize(end), "cudaEventSynchronize");
  EXPECT_EQ(cudaEventElapsedTime(&milliseconds, start, end), cudaSuccess);
  EXPECT_GT(milliseconds, 0);
  static_cast<void>(cudaGetLastError());
  check_cuda(cudaEventDestroy(start), "cudaEventDestroy");
  check_cuda(cudaEventDestroy(end), "cudaEventDestroy");
}

TEST_F(CudaTest, a_graph_replays_what_two_streams_did) {
  cudaEvent_t start = nullptr, end = nullptr;
  check_cuda(cudaEventCreate(&start), "cudaEventCreate");
  check_cuda(cudaEventCreate(&end), "cudaEventCreate");
  const cudaGraphExec_t graph = captured([&] {
    check_cuda(cudaEventRecordWithFlags(start, stream_, cudaEventRecordExternal), "record");
    after(other_, forked_, stream_);
    copy(other_);
    after(stream_, joined_, other_);
    set(9, stream_);
    check_cuda(cudaEventRecordWithFlags(end, stream_, cudaEventRecordExternal), "record");
  });
  EXPECT_EQ(all_of(data_), 0);  // a capture runs nothing
  for (int32_t i = 1; i <= 50; ++i) {
    set(i, stream_);
    check_cuda(cudaGraphLaunch(graph, stream_), "cudaGraphLaunch");
    check_cuda(cudaStreamSynchronize(stream_), "cudaStreamSynchronize");
    ASSERT_EQ(all_of(copy_), i * 0x01010101);
    ASSERT_EQ(all_of(data_), 0x09090909);
    float milliseconds = -1;
    ASSERT_EQ(cudaEventElapsedTime(&milliseconds, start, end), cudaSuccess);
    ASSERT_GT(milliseconds, 0);
  }
  check_cuda(cudaGraphExecDestroy(graph), "cudaGraphExecDestroy");
  check_cuda(cudaEventDestroy(start), "cudaEventDestroy");
  check_cuda(cudaEventDestroy(end), "cudaEventDestroy");
}

TEST_F(CudaTest, a_graph_runs_own_kernels_with_the_arguments_of_the_capture) {
  DeviceArray<float> values(kCount);
  const auto fill = [&](uint64_t seed) {
    const Matrix matrix{reinterpret_cast<std::byte*>(values.data()), Dtype::float32, 1, kCount,
                        kCount};
    launch_fill_input(matrix, Input::q, {5, 6}, 0, seed, stream_);
  };
  const cudaGraphExec_t graph = captured([&] { fill(1); });
  fill(2);
  check_cuda(cudaGraphLaunch(graph, stream_), "cudaGraphLaunch");
  check_cuda(cudaStreamSynchronize(stream_), "cudaStreamSynchronize");
  std::vector<float> host(kCount);
  check_cuda(cudaMemcpy(host.data(), values.data(), kCount * 4, cudaMemcpyDeviceToHost), "copy");
  for (int64_t d = 0; d < kCount; ++d) {
    ASSERT_EQ(host[d], static_cast<float>(input_value(input_stream(Input::q, 5, 0, 1), d)));
  }
  check_cuda(cudaGraphExecDestroy(graph), "cudaGraphExecDestroy");
}

TEST_F(CudaTest, an_error_that_another_library_left_is_not_that_of_a_launch) {
  EXPECT_EQ(cudaSetDevice(1000), cudaErrorInvalidDevice);
  const Matrix matrix{reinterpret_cast<std::byte*>(data_.data()), Dtype::float32, 1, 4, 4};
  EXPECT_NO_THROW(launch_fill_input(matrix, Input::q, {0, 1}, 0, 1, stream_));
}

TEST_F(CudaTest, a_query_that_finds_work_leaves_no_error) {
  const CudaEvent event;
  for (int i = 0; i < 100; ++i) {
    set(i, stream_);
    event.record(stream_);
    static_cast<void>(event.done());
    ASSERT_EQ(cudaGetLastError(), cudaSuccess);
  }
}

TEST_F(CudaTest, a_stream_says_whether_it_is_captured) {
  const auto status = [&] {
    cudaStreamCaptureStatus found = cudaStreamCaptureStatusNone;
    check_cuda(cudaStreamIsCapturing(stream_, &found), "cudaStreamIsCapturing");
    return found;
  };
  EXPECT_EQ(status(), cudaStreamCaptureStatusNone);
  const auto code = end_of_capture([&] {
    EXPECT_EQ(status(), cudaStreamCaptureStatusActive);
    static_cast<void>(cudaStreamSynchronize(stream_));
    EXPECT_EQ(status(), cudaStreamCaptureStatusInvalidated);
  });
  EXPECT_EQ(code, cudaErrorStreamCaptureInvalidated);
}

TEST_F(CudaTest, bad_capture_that_is_not_joined) {
  EXPECT_EQ(end_of_capture([&] {
              after(other_, forked_, stream_);
              copy(other_);
            }),
            cudaErrorStreamCaptureUnjoined);
}

TEST_F(CudaTest, bad_capture_that_waits_for_an_event_outside) {
  check_cuda(cudaEventRecord(forked_, other_), "cudaEventRecord");
  EXPECT_EQ(end_of_capture([&] {
              EXPECT_EQ(cudaStreamWaitEvent(stream_, forked_, 0), cudaErrorStreamCaptureIsolation);
            }),
            cudaErrorStreamCaptureInvalidated);
}

TEST_F(CudaTest, bad_capture_in_which_the_host_waits_or_allocates) {
  EXPECT_EQ(end_of_capture([&] {
              EXPECT_EQ(cudaStreamSynchronize(stream_), cudaErrorStreamCaptureUnsupported);
            }),
            cudaErrorStreamCaptureInvalidated);
  EXPECT_EQ(end_of_capture([&] {
              void* data = nullptr;
              EXPECT_EQ(cudaMalloc(&data, 4), cudaErrorStreamCaptureUnsupported);
            }),
            cudaErrorStreamCaptureInvalidated);
}

TEST_F(CudaTest, an_event_of_a_capture_cannot_be_queried) {
  check_cuda(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeThreadLocal), "begin");
  check_cuda(cudaEventRecord(forked_, stream_), "cudaEventRecord");
  EXPECT_EQ(cudaEventQuery(forked_), cudaErrorCapturedEvent);
  cudaGraph_t graph = nullptr;
  static_cast<void>(cudaStreamEndCapture(stream_, &graph));
  static_cast<void>(cudaGetLastError());
  static_cast<void>(cudaGraphDestroy(graph));
}

TEST_F(CudaTest, host_functions_run_in_order) {
  std::vector<int> order;
  struct Note {
    std::vector<int>* order;
    int number;
  };
  std::array<Note, 3> notes = {Note{&order, 0}, {&order, 1}, {&order, 2}};
  for (Note& note : notes) {
    const auto write = [](void* data) {
      const auto* each = static_cast<Note*>(data);
      each->order->push_back(each->number);
    };
    check_cuda(cudaLaunchHostFunc(stream_, write, &note), "cudaLaunchHostFunc");
  }
  check_cuda(cudaStreamSynchronize(stream_), "cudaStreamSynchronize");
  EXPECT_EQ(order, (std::vector{0, 1, 2}));
}

TEST_F(CudaTest, the_default_stream_and_blocking_ones_wait_for_each_other) {
  cudaStream_t blocking = nullptr;
  check_cuda(cudaStreamCreate(&blocking), "cudaStreamCreate");
  for (int32_t i = 1; i <= 50; ++i) {
    set(i, blocking);
    copy(nullptr);
    set(0, blocking);
    ASSERT_EQ(all_of(copy_), i * 0x01010101);
  }
  check_cuda(cudaStreamDestroy(blocking), "cudaStreamDestroy");
}

TEST_F(CudaTest, memory_has_a_limit_and_is_freed) {
  if (!fake_) GTEST_SKIP() << "would allocate all memory";
  setenv("FAKE_GPU_MEMORY", "1000000", 1);
  size_t free_bytes = 0, total = 0;
  check_cuda(cudaMemGetInfo(&free_bytes, &total), "cudaMemGetInfo");
  EXPECT_EQ(total, 1000000u);
  EXPECT_EQ(free_bytes, 1000000u - 2 * kCount * 4);
  EXPECT_THROW(DeviceArray<std::byte>{free_bytes + 1}, std::bad_alloc);
  EXPECT_EQ(cudaGetLastError(), cudaSuccess);
  { const DeviceArray<std::byte> all(free_bytes); }
  const DeviceArray<std::byte> again(free_bytes);
  unsetenv("FAKE_GPU_MEMORY");
}

TEST_F(CudaTest, new_memory_is_all_ones) {
  if (!fake_) GTEST_SKIP() << "on a GPU it may have any value";
  EXPECT_EQ(all_of(copy_), -1);
}

using CudaDeathTest = CudaTest;

#define EXPECT_MISUSE(statement, message)                           \
  do {                                                              \
    if (!fake_) GTEST_SKIP() << "a GPU leaves it undefined";        \
    GTEST_FLAG_SET(death_test_style, "threadsafe");                 \
    EXPECT_DEATH(statement, std::string("fake GPU: ") + (message)); \
  } while (false)

TEST_F(CudaDeathTest, bad_use_of_freed_memory) {
  EXPECT_MISUSE(
      {
        check_cuda(cudaFree(data_.data()), "cudaFree");
        copy(stream_);
      },
      "a copy's source is in memory that was freed");
}

TEST_F(CudaDeathTest, bad_copy_beyond_the_end) {
  EXPECT_MISUSE(cudaMemsetAsync(data_.data() + 1, 0, kCount * 4, stream_),
                "cudaMemset's target runs 4 bytes beyond the end of its allocation");
}

TEST_F(CudaDeathTest, bad_direction_of_a_copy) {
  int32_t here = 0;
  EXPECT_MISUSE(cudaMemcpyAsync(&here, data_.data(), 4, cudaMemcpyHostToDevice, stream_),
                "the direction of a copy does not match its addresses");
}

TEST_F(CudaDeathTest, bad_free_of_freed_memory) {
  EXPECT_MISUSE(
      {
        check_cuda(cudaFree(data_.data()), "cudaFree");
        static_cast<void>(cudaFree(data_.data()));
      },
      "cudaFree of memory that was already freed");
}

TEST_F(CudaDeathTest, bad_launch_on_a_stream_of_another_device) {
  const Matrix matrix{reinterpret_cast<std::byte*>(data_.data()), Dtype::float32, 1, 4, 4};
  EXPECT_MISUSE(
      {
        check_cuda(cudaSetDevice(1), "cudaSetDevice");
        launch_fill_input(matrix, Input::q, {0, 1}, 0, 1, stream_);
      },
      "kernel '.*FillInput<float>.*' is launched on device 1, its stream is of device 0");
}

TEST_F(CudaDeathTest, bad_kernel_of_another_project) {
  int nothing = 0;
  void* arguments[] = {&nothing};
  EXPECT_MISUSE(cudaLaunchKernel(&nothing, dim3(1), dim3(1), arguments, 0, stream_),
                "a kernel that was never registered");
}

TEST_F(CudaDeathTest, bad_call_of_cuda_in_a_host_function) {
  EXPECT_MISUSE(
      {
        const auto wait = [](void*) { static_cast<void>(cudaDeviceSynchronize()); };
        check_cuda(cudaLaunchHostFunc(stream_, wait, nullptr), "cudaLaunchHostFunc");
        static_cast<void>(cudaStreamSynchronize(stream_));
      },
      "cudaDeviceSynchronize is called in a host function");
}

TEST_F(CudaDeathTest, bad_stream_that_was_destroyed) {
  EXPECT_MISUSE(
      {
        cudaStream_t gone = nullptr;
        check_cuda(cudaStreamCreate(&gone), "cudaStreamCreate");
        check_cuda(cudaStreamDestroy(gone), "cudaStreamDestroy");
        set(1, gone);
      },
      "a stream does not exist, or was destroyed");
}

}  // namespace
}  // namespace cpbench
