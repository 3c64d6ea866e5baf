#include "harness/execute_cuda/nccl_transport.h"

#include <dlfcn.h>

#include <map>

#include "harness/execute/transport.h"
#include "harness/execute_cuda/gpu_test.h"

namespace {

ncclConfig_t last_config;
std::map<int, int> split_colors;  // by key, which is the rank
int destroyed = 0;

// The function of NCCL that a function here stands before.
template <typename Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

}  // namespace

// These stand before the functions of NCCL, and call them.
extern "C" ncclResult_t ncclCommInitRankConfig(ncclComm_t* comm, int ranks, ncclUniqueId id,
                                               int rank, ncclConfig_t* config) {
  last_config = *config;
  return next<decltype(ncclCommInitRankConfig)>(__func__)(comm, ranks, id, rank, config);
}

extern "C" ncclResult_t ncclCommSplit(ncclComm_t comm, int color, int key, ncclComm_t* part,
                                      ncclConfig_t* config) {
  split_colors[key] = color;
  return next<decltype(ncclCommSplit)>(__func__)(comm, color, key, part, config);
}

extern "C" ncclResult_t ncclCommDestroy(ncclComm_t comm) {
  ++destroyed;
  return next<decltype(ncclCommDestroy)>(__func__)(comm);
}

namespace cpbench {
namespace {

using NcclTransportTest = GpuTest;

ncclConfig_t config_with(const NcclOptions& options) {
  const NcclTransport one_rank(NcclTransport::new_id(), 1, {0, {0}}, 60, options);
  return last_config;
}

TEST_F(NcclTransportTest, options_go_to_nccl) {
  const ncclConfig_t config =
      config_with({.min_ctas = 2, .max_ctas = 8, .cta_policy = "efficiency"});
  EXPECT_EQ(config.minCTAs, 2);
  EXPECT_EQ(config.maxCTAs, 8);
  EXPECT_EQ(config.CTAPolicy, NCCL_CTA_POLICY_EFFICIENCY);
}

TEST_F(NcclTransportTest, without_options_nccl_chooses) {
  const ncclConfig_t config = config_with({});
  for (int each : {config.minCTAs, config.maxCTAs, config.CTAPolicy}) {
    EXPECT_EQ(each, NCCL_CONFIG_UNDEF_INT);
  }
}

TEST_F(NcclTransportTest, an_exchange_that_is_refused_holds_no_later_one_back) {
  NcclTransport one_rank(NcclTransport::new_id(), 1, {0, {0}}, 60);
  const std::vector<std::byte> sent(8, std::byte{7}), zeros(8);
  const DeviceArray<std::byte> from{std::span(sent)}, to{std::span(zeros)};
  const DeviceMessage nobody{from.data(), 8, 5, 0}, send{from.data(), 8, 0, 0},
      receive{to.data(), 8, 0, 0};
  EXPECT_THROW(one_rank.exchange(0, {&nobody, 1}, {}, stream_), std::runtime_error);
  one_rank.exchange(0, {&send, 1}, {&receive, 1}, stream_);
  check_cuda(cudaStreamSynchronize(stream_), "cudaStreamSynchronize");
  std::vector<std::byte> received(8);
  check_cuda(cudaMemcpy(received.data(), to.data(), 8, cudaMemcpyDeviceToHost), "cudaMemcpy");
  EXPECT_EQ(received, sent);
}

TEST_F(NcclTransportTest, groups_of_ranks_get_communicators_of_their_own_for_a_moment) {
  int gpus = 0;
  check_cuda(cudaGetDeviceCount(&gpus), "cudaGetDeviceCount");
  if (gpus < 3) GTEST_SKIP() << "fewer GPUs than ranks";
  NcclTransport transport(NcclTransport::new_id(), 3, {0, {0, 1, 2}}, 60);
  const int before = destroyed;
  split_colors.clear();
  EXPECT_GT(transport.creation_seconds({{0, 2}}), 0);
  EXPECT_EQ(split_colors, (std::map<int, int>{{0, 0}, {1, NCCL_SPLIT_NOCOLOR}, {2, 0}}));
  EXPECT_EQ(destroyed - before, 2);
  split_colors.clear();
  transport.creation_seconds({{0, 1}});  // the communicator of all ranks is as before
  EXPECT_EQ(split_colors.at(1), 0);
  transport.close();
  EXPECT_THROW(transport.creation_seconds({{0, 1}}), TransportClosed);
}

}  // namespace
}  // namespace cpbench
