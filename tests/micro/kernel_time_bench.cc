// The kernel-time model: segments per second on one core.
//   cpbench_micro --benchmark_filter=KernelSeconds
#include <benchmark/benchmark.h>

#include "harness/machines/kernel_models.h"

namespace cpbench {
namespace {

enum Kind : uint8_t { mixed, full, causal, band };

void KernelSeconds(benchmark::State& state, const char* name, KernelPass pass, Kind kind) {
  std::vector<AttentionSegment> call;
  for (int64_t i = 0; i < 1 << 16; ++i) {
    AttentionSegment s{1 + i * 7919 % 5000, 1 + i * 104729 % 90000};
    s.causal = kind == causal || (kind == mixed && i % 4 != 0);
    s.band = kind == band;
    if (s.band) {
      s.kv_tokens = s.q_tokens + 4095;  // a window of 4096
      s.last = 4095;
    }
    call.push_back(s);
  }
  const KernelModel& model = find_kernel(name);
  const AttentionShape shape{.query_heads = 32, .head_dim = 128, .value_head_dim = 128};
  for (auto _ : state) {
    benchmark::DoNotOptimize(kernel_seconds(model, pass, call, shape, 32));
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(call.size()));
}

BENCHMARK_CAPTURE(KernelSeconds, full, "cudnn_h200", KernelPass::forward, full);
BENCHMARK_CAPTURE(KernelSeconds, causal, "cudnn_h200", KernelPass::forward, causal);
BENCHMARK_CAPTURE(KernelSeconds, band, "cudnn_h200", KernelPass::forward, band);
BENCHMARK_CAPTURE(KernelSeconds, mixed, "cudnn_h200", KernelPass::forward, mixed);
BENCHMARK_CAPTURE(KernelSeconds, mixed_fa2, "fa2_h100", KernelPass::forward, mixed);
BENCHMARK_CAPTURE(KernelSeconds, mixed_fa2_backward, "fa2_h100", KernelPass::backward, mixed);

}  // namespace
}  // namespace cpbench
