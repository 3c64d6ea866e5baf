#include "harness/execute_cuda/nccl_transport.h"

#include <dlfcn.h>

#include "harness/execute_cuda/gpu_test.h"

namespace {

ncclConfig_t last_config;

}  // namespace

// This stands before the function of NCCL, and calls it.
extern "C" ncclResult_t ncclCommInitRankConfig(ncclComm_t* comm, int ranks, ncclUniqueId id,
                                               int rank, ncclConfig_t* config) {
  last_config = *config;
  static auto* const next =
      reinterpret_cast<decltype(&ncclCommInitRankConfig)>(dlsym(RTLD_NEXT, __func__));
  return next(comm, ranks, id, rank, config);
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

}  // namespace
}  // namespace cpbench
