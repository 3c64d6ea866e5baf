#include "harness/execute_cuda/copy_transport.h"

#include <thread>

#include "harness/execute/transport.h"
#include "harness/execute_cuda/gpu_test.h"
#include "harness/execute_cuda/job_for_tests.h"

namespace cpbench {
namespace {

constexpr int64_t kBytes = 1024;

// Two ranks that send each other a block in every exchange.
class CopyTransportTest : public GpuTest {
 protected:
  struct Rank {
    explicit Rank(int32_t device) : source(kBytes), target(kBytes) {
      source.fill(device + 1);
      target.fill(0);
    }
    DeviceArray<std::byte> source, target;
    Stream stream;
  };

  // On GPUs of their own, or both on the first one.
  bool prepare(bool own) {
    int gpus = 0;
    static_cast<void>(cudaGetDeviceCount(&gpus));
    if (own && gpus < 2) return false;
    const std::vector<int32_t> devices =
        own ? std::vector<int32_t>{0, 1} : std::vector<int32_t>{0, 0};
    transport_ = std::make_unique<CopyTransport>(devices, 2);
    for (int32_t rank : {0, 1}) {
      set_device(devices[rank]);
      ranks_.push_back(std::make_unique<Rank>(rank));
    }
    devices_ = devices;
    return true;
  }
  void exchange(int32_t rank) {
    set_device(devices_[rank]);
    Rank& mine = *ranks_[rank];
    const DeviceMessage send{mine.source.data(), kBytes, 1 - rank, rank};
    const DeviceMessage receive{mine.target.data(), kBytes, 1 - rank, 1 - rank};
    transport_->exchange(rank, {&send, 1}, {&receive, 1}, mine.stream);
  }
  void exchange_together() {
    std::thread other([this] { exchange(1); });
    exchange(0);
    other.join();
  }
  void expect_exchanged() {
    for (int32_t rank : {0, 1}) {
      ranks_[rank]->stream.synchronize();
      std::vector<unsigned char> found(kBytes);
      check_cuda(
          cudaMemcpy(found.data(), ranks_[rank]->target.data(), kBytes, cudaMemcpyDeviceToHost),
          "cudaMemcpy");
      EXPECT_EQ(found, std::vector<unsigned char>(kBytes, static_cast<unsigned char>(2 - rank)));
      ranks_[rank]->target.fill(0);
    }
  }

  std::unique_ptr<CopyTransport> transport_;
  std::vector<int32_t> devices_;
  std::vector<std::unique_ptr<Rank>> ranks_;
};

TEST_F(CopyTransportTest, blocks_arrive_whether_or_not_ranks_share_a_gpu) {
  for (bool own : {false, true}) {
    ranks_.clear();
    if (!prepare(own)) GTEST_SKIP() << "fewer GPUs than ranks";
    EXPECT_EQ(transport_->supports_graphs(), own);
    for (int i = 0; i < 3; ++i) {
      exchange_together();
      expect_exchanged();
    }
  }
}

TEST_F(CopyTransportTest, with_a_gpu_each_hosts_wait_for_one_another_only_in_the_first_exchange) {
  if (!prepare(true)) GTEST_SKIP() << "fewer GPUs than ranks";
  exchange_together();
  expect_exchanged();
  exchange(0);  // returns although rank 1 has enqueued nothing
  exchange(1);
  expect_exchanged();
}

TEST_F(CopyTransportTest, closing_ends_what_streams_and_hosts_wait_for) {
  if (!prepare(true)) GTEST_SKIP() << "fewer GPUs than ranks";
  exchange_together();
  expect_exchanged();
  exchange(0);
  transport_->close();
  ranks_[0]->stream.synchronize();
  EXPECT_THROW(exchange(1), TransportClosed);
}

TEST_F(CopyTransportTest, an_iteration_is_captured_as_a_graph) {
  int gpus = 0;
  static_cast<void>(cudaGetDeviceCount(&gpus));
  if (gpus < 3) GTEST_SKIP() << "fewer GPUs than ranks";
  JobForTests job(3);
  job.options.graph = true;
  CopyTransport transport({0, 1, 2}, messages_of(job.program));
  const auto reports = job.run(*make_gpu_reference_kernel(), transport, {0, {0, 1, 2}});
  for (const RankReport& report : reports) {
    EXPECT_LE(report.accuracy.max_error_output, 1e-10);
    EXPECT_LE(report.accuracy.max_error_gradient, 1e-10);
    EXPECT_EQ(std::ssize(report.seconds), job.options.iterations);
  }
}

}  // namespace
}  // namespace cpbench
