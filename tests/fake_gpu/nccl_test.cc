// Collectives and messages as the executor uses them, on the fake NCCL, and on the real one if
// there are enough GPUs.
#include <gtest/gtest.h>
#include <nccl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <numeric>
#include <thread>

#include "harness/execute/element.h"
#include "harness/execute_cuda/device_array.h"

namespace cpbench {
namespace {

constexpr int kRanks = 4;
constexpr size_t kCount = 1000;  // elements per rank

void check_nccl(ncclResult_t code) {
  if (code != ncclSuccess && code != ncclInProgress)
    throw std::runtime_error(ncclGetErrorString(code));
}

// A value that is exact in every type, also in sums over ranks.
template <typename T>
T value_of(int rank, size_t i) {
  return static_cast<T>(static_cast<float>(rank + 1 + static_cast<int>(i % 7)));
}

template <typename T>
ncclDataType_t type_of() {
  if constexpr (std::is_same_v<T, double>) return ncclFloat64;
  if constexpr (std::is_same_v<T, float>) return ncclFloat32;
  return ncclBfloat16;
}

struct Rank {
  int device = 0;
  cudaStream_t stream = nullptr;
  ncclComm_t comm = nullptr;
  void here() const { check_cuda(cudaSetDevice(device), "cudaSetDevice"); }
};

template <typename T>
DeviceArray<T> upload(int rank, size_t count) {
  std::vector<T> host(count);
  for (size_t i = 0; i < count; ++i) host[i] = value_of<T>(rank, i);
  return DeviceArray<T>(std::span<const T>(host));
}

template <typename T>
std::vector<T> download(const DeviceArray<T>& array) {
  std::vector<T> host(array.size());
  check_cuda(
      cudaMemcpy(host.data(), array.data(), array.size() * sizeof(T), cudaMemcpyDeviceToHost),
      "cudaMemcpy");
  return host;
}

// All ranks run in one thread, which groups their operations.
class NcclTest : public testing::Test {
 protected:
  void SetUp() override {
    int gpus = 0;
    static_cast<void>(cudaGetDeviceCount(&gpus));
    if (gpus == 0) GTEST_SKIP() << "no GPU here";
    if (gpus < kRanks) GTEST_SKIP() << "fewer GPUs than ranks";
    std::vector<ncclComm_t> comms(kRanks);
    check_nccl(ncclCommInitAll(comms.data(), kRanks, nullptr));
    for (int r = 0; r < kRanks; ++r) {
      ranks_.push_back({.device = r, .comm = comms[r]});
      ranks_[r].here();
      check_cuda(cudaStreamCreateWithFlags(&ranks_[r].stream, cudaStreamNonBlocking), "stream");
    }
  }
  void TearDown() override {
    synchronize();
    for (const Rank& rank : ranks_) {
      if (rank.comm != nullptr) check_nccl(ncclCommDestroy(rank.comm));
      check_cuda(cudaStreamDestroy(rank.stream), "cudaStreamDestroy");
    }
  }
  void synchronize() {
    for (const Rank& rank : ranks_) check_cuda(cudaStreamSynchronize(rank.stream), "synchronize");
  }
  template <typename Work>
  void together(const Work& work) {
    check_nccl(ncclGroupStart());
    for (int r = 0; r < kRanks; ++r) {
      ranks_[r].here();
      work(r, ranks_[r]);
    }
    check_nccl(ncclGroupEnd());
  }
  template <typename T>
  std::vector<DeviceArray<T>> upload_all(size_t count) {
    std::vector<DeviceArray<T>> arrays;
    for (const Rank& rank : ranks_) {
      rank.here();
      arrays.push_back(upload<T>(rank.device, count));
    }
    return arrays;
  }

  template <typename T>
  void collectives() {
    const auto in = upload_all<T>(kCount * kRanks);
    auto gathered = upload_all<T>(kCount * kRanks);
    auto scattered = upload_all<T>(kCount);
    auto reduced = upload_all<T>(kCount);
    together([&](int r, const Rank& rank) {  // in place: each rank's share is in its block
      T* own = gathered[r].data() + r * kCount;
      check_nccl(
          ncclAllGather(own, gathered[r].data(), kCount, type_of<T>(), rank.comm, rank.stream));
    });
    together([&](int r, const Rank& rank) {
      check_nccl(ncclReduceScatter(in[r].data(), scattered[r].data(), kCount, type_of<T>(), ncclSum,
                                   rank.comm, rank.stream));
    });
    together([&](int r, const Rank& rank) {
      check_nccl(ncclAllReduce(reduced[r].data(), reduced[r].data(), kCount, type_of<T>(), ncclSum,
                               rank.comm, rank.stream));
    });
    synchronize();
    for (int r = 0; r < kRanks; ++r) {
      const auto g = download(gathered[r]), s = download(scattered[r]), a = download(reduced[r]);
      for (size_t i = 0; i < kCount; ++i) {
        float sum = 0, share = 0;
        for (int other = 0; other < kRanks; ++other) {
          sum += static_cast<float>(value_of<T>(other, i));
          share += static_cast<float>(value_of<T>(other, r * kCount + i));
          const T expected = value_of<T>(other, other * kCount + i);
          ASSERT_EQ(static_cast<float>(g[other * kCount + i]), static_cast<float>(expected));
        }
        ASSERT_EQ(static_cast<float>(s[i]), share);
        ASSERT_EQ(static_cast<float>(a[i]), sum);
      }
    }
  }

  // Each rank sends two messages to the next.
  void ring(std::vector<DeviceArray<float>>& in, std::vector<DeviceArray<float>>& out) {
    together([&](int r, const Rank& rank) {
      const int next = (r + 1) % kRanks, last = (r + kRanks - 1) % kRanks;
      const auto send = [&](size_t first, size_t count) {
        check_nccl(
            ncclSend(in[r].data() + first, count, ncclFloat32, next, rank.comm, rank.stream));
      };
      const auto receive = [&](size_t first, size_t count) {
        check_nccl(
            ncclRecv(out[r].data() + first, count, ncclFloat32, last, rank.comm, rank.stream));
      };
      send(0, 300);
      send(300, 700);
      receive(0, 300);
      receive(300, 700);
    });
  }
  void expect_shifted(const std::vector<DeviceArray<float>>& out, int by) {
    for (int r = 0; r < kRanks; ++r) {
      const auto got = download(out[r]);
      for (size_t i = 0; i < kCount; ++i) {
        ASSERT_EQ(got[i], value_of<float>((r + kRanks - by) % kRanks, i));
      }
    }
  }
  std::vector<Rank> ranks_;
};

TEST_F(NcclTest, collectives_in_float64) { collectives<double>(); }
TEST_F(NcclTest, collectives_in_float32) { collectives<float>(); }
TEST_F(NcclTest, collectives_in_bfloat16) { collectives<BFloat16>(); }

TEST_F(NcclTest, messages_of_a_pair_match_in_order) {
  auto a = upload_all<float>(kCount), b = upload_all<float>(kCount);
  ring(a, b);
  ring(b, a);
  ring(a, b);
  synchronize();
  expect_shifted(b, 3);
}

TEST_F(NcclTest, a_captured_exchange_is_replayed) {
  auto a = upload_all<float>(kCount), b = upload_all<float>(kCount);
  std::vector<cudaGraphExec_t> graphs;
  for (const Rank& rank : ranks_) {
    check_cuda(cudaStreamBeginCapture(rank.stream, cudaStreamCaptureModeThreadLocal), "begin");
  }
  ring(a, b);
  for (const Rank& rank : ranks_) {
    rank.here();
    cudaGraph_t graph = nullptr;
    check_cuda(cudaStreamEndCapture(rank.stream, &graph), "cudaStreamEndCapture");
    check_cuda(cudaGraphInstantiate(&graphs.emplace_back(), graph, 0), "cudaGraphInstantiate");
    check_cuda(cudaGraphDestroy(graph), "cudaGraphDestroy");
  }
  for (int i = 1; i <= 3; ++i) {
    for (int r = 0; r < kRanks; ++r) {
      ranks_[r].here();
      check_cuda(cudaGraphLaunch(graphs[r], ranks_[r].stream), "cudaGraphLaunch");
      check_cuda(cudaMemcpyAsync(a[r].data(), b[r].data(), kCount * sizeof(float),
                                 cudaMemcpyDeviceToDevice, ranks_[r].stream),
                 "cudaMemcpyAsync");
    }
    synchronize();
    expect_shifted(a, i);
  }
  for (cudaGraphExec_t graph : graphs) check_cuda(cudaGraphExecDestroy(graph), "destroy");
}

// What only the fake NCCL does: it fails on request, and reports operations that do not match.
class FakeNcclTest : public NcclTest {
 protected:
  void SetUp() override {
    cudaDeviceProp properties{};
    static_cast<void>(cudaGetDeviceProperties(&properties, 0));
    if (std::strcmp(properties.name, "Fake GPU") != 0) GTEST_SKIP() << "not the fake GPU";
    NcclTest::SetUp();
  }
  void TearDown() override {
    unsetenv("FAKE_NCCL_ABSENT_RANK");
    unsetenv("FAKE_NCCL_ABSENT_AFTER");
    unsetenv("FAKE_NCCL_ERROR_AFTER");
    NcclTest::TearDown();
  }
  void abort_all() {
    for (Rank& rank : ranks_) {
      check_nccl(ncclCommAbort(rank.comm));
      rank.comm = nullptr;
    }
  }
};

// The real NCCL may accept a short message before its receiver has arrived.
TEST_F(FakeNcclTest, an_operation_waits_on_its_stream_for_its_counterpart) {
  auto a = upload_all<float>(kCount), b = upload_all<float>(kCount);
  ranks_[0].here();
  check_nccl(ncclSend(a[0].data(), kCount, ncclFloat32, 1, ranks_[0].comm, ranks_[0].stream));
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(cudaStreamQuery(ranks_[0].stream), cudaErrorNotReady);
  ranks_[1].here();
  check_nccl(ncclRecv(b[1].data(), kCount, ncclFloat32, 0, ranks_[1].comm, ranks_[1].stream));
  synchronize();
}

TEST_F(FakeNcclTest, others_wait_for_an_absent_rank_until_they_give_up) {
  setenv("FAKE_NCCL_ABSENT_RANK", "2", 1);
  setenv("FAKE_NCCL_ABSENT_AFTER", "1", 1);
  auto a = upload_all<float>(kCount), b = upload_all<float>(kCount);
  ring(a, b);
  synchronize();
  ring(b, a);
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_EQ(cudaStreamQuery(ranks_[3].stream), cudaErrorNotReady);
  ncclResult_t error = ncclSystemError;
  check_nccl(ncclCommGetAsyncError(ranks_[3].comm, &error));
  EXPECT_EQ(error, ncclSuccess);
  abort_all();
  synchronize();
}

TEST_F(FakeNcclTest, an_error_comes_later_than_its_call) {
  setenv("FAKE_NCCL_ERROR_AFTER", "1", 1);
  auto a = upload_all<float>(kCount), b = upload_all<float>(kCount);
  ring(a, b);
  synchronize();
  ring(b, a);
  ncclResult_t error = ncclSuccess;
  while (error == ncclSuccess) check_nccl(ncclCommGetAsyncError(ranks_[1].comm, &error));
  EXPECT_EQ(error, ncclRemoteError);
  abort_all();
}

TEST_F(FakeNcclTest, two_ranks_on_one_gpu_are_refused) {
  const int devices[] = {1, 1};
  ncclComm_t comms[2];
  EXPECT_EQ(ncclCommInitAll(comms, 2, devices), ncclInvalidUsage);
  for (ncclComm_t comm : comms) check_nccl(ncclCommAbort(comm));
}

TEST_F(FakeNcclTest, a_communicator_may_be_made_in_the_background) {
  ncclUniqueId id;
  check_nccl(ncclGetUniqueId(&id));
  ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
  config.blocking = 0;
  ncclComm_t comms[2];
  ncclResult_t state = ncclSuccess;
  for (int r : {0, 1}) {
    ranks_[r].here();
    EXPECT_EQ(ncclCommInitRankConfig(&comms[r], 2, id, r, &config), ncclInProgress);
    check_nccl(ncclCommGetAsyncError(comms[0], &state));
    if (r == 0) {
      EXPECT_EQ(state, ncclInProgress);
    }
  }
  for (ncclComm_t comm : comms) {
    do {
      check_nccl(ncclCommGetAsyncError(comm, &state));
    } while (state == ncclInProgress);
    EXPECT_EQ(state, ncclSuccess);
  }
  for (ncclComm_t comm : comms) check_nccl(ncclCommDestroy(comm));
}

TEST_F(FakeNcclTest, a_split_has_the_ranks_of_a_color_in_the_order_of_their_keys) {
  std::vector<ncclComm_t> parts(kRanks);
  const std::vector<int> colors = {3, NCCL_SPLIT_NOCOLOR, 3, 3}, keys = {9, 0, 9, 1};
  check_nccl(ncclGroupStart());
  for (int r = 0; r < kRanks; ++r) {
    check_nccl(ncclCommSplit(ranks_[r].comm, colors[r], keys[r], &parts[r], nullptr));
  }
  check_nccl(ncclGroupEnd());
  EXPECT_EQ(parts[1], nullptr);
  std::vector<DeviceArray<float>> gathered;
  check_nccl(ncclGroupStart());
  for (int r : {0, 2, 3}) {
    ranks_[r].here();
    gathered.push_back(upload<float>(r, 3));
    float* own = gathered.back().data();
    check_nccl(ncclAllGather(own, own, 1, ncclFloat32, parts[r], ranks_[r].stream));
  }
  check_nccl(ncclGroupEnd());
  for (int r : {0, 2, 3}) check_cuda(cudaStreamSynchronize(ranks_[r].stream), "synchronize");
  for (const DeviceArray<float>& each : gathered) {
    EXPECT_EQ(download(each), (std::vector<float>{4, 1, 3}));  // of ranks 3, 0 and 2
  }
  for (int r : {0, 2, 3}) check_nccl(ncclCommDestroy(parts[r]));
}

using FakeNcclDeathTest = FakeNcclTest;

TEST_F(FakeNcclDeathTest, bad_count) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  auto a = upload_all<float>(kCount);
  auto b = upload_all<float>(kCount);
  const auto exchange = [&] {
    together([&](int r, const Rank& rank) {
      if (r == 0) check_nccl(ncclSend(a[0].data(), 10, ncclFloat32, 1, rank.comm, rank.stream));
      if (r == 1) check_nccl(ncclRecv(b[1].data(), 11, ncclFloat32, 0, rank.comm, rank.stream));
    });
    synchronize();
  };
  EXPECT_DEATH(exchange(),
               "fake GPU: NCCL: rank 1 takes part in send to receive of 11 elements of type 7, "
               "rank 0 in send to receive of 10 elements of type 7");
}

TEST_F(FakeNcclDeathTest, bad_stream_of_another_device) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto a = upload_all<float>(kCount);
  EXPECT_DEATH(static_cast<void>(
                   ncclSend(a[0].data(), 10, ncclFloat32, 1, ranks_[0].comm, ranks_[1].stream)),
               "fake GPU: NCCL: the stream belongs to another device than the communicator");
}

TEST_F(FakeNcclTest, bad_end_of_a_group_that_never_began) {
  EXPECT_EQ(ncclGroupEnd(), ncclInvalidUsage);
}

// Runs one rank of an all-reduce in this process. Returns whether the sums are right.
bool is_rank_of_an_all_reduce(const ncclUniqueId& id, int rank, int size) {
  Rank self{.device = rank};
  self.here();
  check_cuda(cudaStreamCreate(&self.stream), "cudaStreamCreate");
  check_nccl(ncclCommInitRank(&self.comm, size, id, rank));
  const auto values = upload<float>(rank, kCount);
  for (int i = 0; i < 2; ++i) {
    check_nccl(ncclAllReduce(values.data(), values.data(), kCount, ncclFloat32, ncclSum, self.comm,
                             self.stream));
  }
  check_cuda(cudaStreamSynchronize(self.stream), "cudaStreamSynchronize");
  const auto sums = download(values);
  bool right = true;
  for (size_t i = 0; i < kCount; ++i) {
    float sum = 0;
    for (int r = 0; r < size; ++r) sum += value_of<float>(r, i) * static_cast<float>(size);
    right = right && sums[i] == sum;
  }
  check_nccl(ncclCommDestroy(self.comm));
  check_cuda(cudaStreamDestroy(self.stream), "cudaStreamDestroy");
  return right;
}

// Runs this test again in other processes, which read their rank from the environment.
TEST(NcclProcesses, ranks_may_be_processes) {
  constexpr int kProcesses = 3;
  int gpus = 0;
  static_cast<void>(cudaGetDeviceCount(&gpus));
  if (gpus < kProcesses) GTEST_SKIP() << (gpus == 0 ? "no GPU here" : "fewer GPUs than ranks");
  ncclUniqueId id{};
  if (const char* rank = std::getenv("NCCL_TEST_RANK")) {
    const std::string hex = std::getenv("NCCL_TEST_ID");
    for (size_t i = 0; i < sizeof(id.internal); ++i) {
      id.internal[i] = static_cast<char>(std::stoi(hex.substr(2 * i, 2), nullptr, 16));
    }
    EXPECT_TRUE(is_rank_of_an_all_reduce(id, std::atoi(rank), kProcesses));
    return;
  }
  check_nccl(ncclGetUniqueId(&id));
  std::string hex;
  for (const char c : id.internal) {
    char digits[3];
    std::snprintf(digits, sizeof(digits), "%02x", static_cast<unsigned char>(c));
    hex += digits;
  }
  setenv("NCCL_TEST_ID", hex.c_str(), 1);
  std::vector<pid_t> children;
  for (int rank = 1; rank < kProcesses; ++rank) {
    setenv("NCCL_TEST_RANK", std::to_string(rank).c_str(), 1);
    const pid_t child = fork();
    if (child == 0) {
      execl("/proc/self/exe", "nccl_test", "--gtest_filter=NcclProcesses.ranks_may_be_processes",
            nullptr);
      _exit(1);
    }
    children.push_back(child);
  }
  unsetenv("NCCL_TEST_RANK");
  EXPECT_TRUE(is_rank_of_an_all_reduce(id, 0, kProcesses));
  for (const pid_t child : children) {
    int status = 1;
    waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
}

}  // namespace
}  // namespace cpbench
