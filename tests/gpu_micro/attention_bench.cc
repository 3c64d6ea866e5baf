// Times attention calls through the harness, and alternately only the library's kernels of the same
// calls. `of_library` is the library's share of a call's time. Names have the kernel, pass and
// call.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "harness/execute/call_tensors.h"
#include "harness/execute_cuda/open_kernel.h"
#include "harness/plan/errors.h"
#include "harness/plan/sizes.h"
#include "tests/gpu_micro/gpu_bench.h"

namespace cpbench {
namespace {

// The shape for which cuDNN publishes times.
constexpr AttentionShape kShape{.query_heads = 64,
                                .kv_heads = 8,
                                .head_dim = 128,
                                .value_head_dim = 128,
                                .dtype = Dtype::bfloat16};

struct Case {
  std::string name;
  std::vector<int32_t> lengths;  // of causal documents
};

// Documents of many lengths, the longest first: each has half of the tokens left, at most
// `longest`.
Case ragged(int32_t tokens, int32_t longest) {
  Case c{"ragged_" + size_text(tokens), {}};
  for (int32_t left = tokens; left > 0; left -= c.lengths.back()) {
    c.lengths.push_back(std::min(left, std::max(100, std::min(longest, left / 2) - 37)));
  }
  return c;
}

std::vector<Case> cases() {
  std::vector<Case> all;
  for (int32_t tokens : {2048, 4096, 8192, 16384, 32768}) {
    all.push_back({"causal_" + size_text(tokens), {tokens}});
  }
  all.push_back(ragged(32768, 8192));
  all.push_back(ragged(65536, 32768));
  all.push_back({"16x2K", std::vector<int32_t>(16, 2048)});
  return all;
}

std::vector<Segment> segments_of(const Case& c) {
  std::vector<Segment> segments;
  int32_t row = 0;
  for (int32_t length : c.lengths) {
    segments.push_back({.q_row = row,
                        .q_rows = length,
                        .kv_row = row,
                        .kv_rows = length,
                        .out_row = row,
                        .dkv_row = row,
                        .mask = SegmentMask::causal});
    row += length;
  }
  return segments;
}

double flops_of(const std::vector<Segment>& segments, bool backward) {
  double pairs = 0;
  for (const Segment& s : segments) pairs += static_cast<double>(pairs_of(s));
  return 4.0 * kShape.head_dim * kShape.query_heads * pairs * (backward ? 2.5 : 1);
}

void attention(benchmark::State& state, const GpuKernel& kernel, const Case& c, bool backward) {
  const std::vector<Segment> segments = segments_of(c);
  const RowsOfCall rows(segments);
  const ForwardTensors<DeviceBuffer> in(kShape, {0, kShape.query_heads}, rows.q, rows.kv,
                                        ElementClass::model);
  const BackwardTensors<DeviceBuffer> out(in);
  for (const DeviceBuffer* buffer : {&in.q, &in.kv, &out.d_o}) fill_all(*buffer);
  const std::unique_ptr<BoundCall> call =
      backward ? kernel.bind(out.call(in, segments)) : kernel.bind(in.call(segments));
  const DeviceArray<std::byte> workspace(static_cast<size_t>(call->workspace_bytes()));
  const auto launch = [&] { call->launch(stream(), workspace.data()); };
  const auto launch_library = [&] { call->launch_library(stream(), workspace.data()); };
  Stopwatch watch(stream());
  const double first = std::max(watch.seconds(launch, 1), watch.seconds(launch, 1));
  const auto launches = static_cast<int64_t>(std::clamp(2e-3 / first, 1.0, 50.0));
  double call_seconds = 0, library_seconds = 0;
  for (auto _ : state) {
    const double once = watch.seconds(launch, launches);
    library_seconds += watch.seconds(launch_library, launches);
    call_seconds += once;
    state.SetIterationTime(once);
  }
  const auto n = static_cast<double>(state.iterations());
  state.counters["tflops"] = flops_of(segments, backward) * n / call_seconds / 1e12;
  state.counters["of_library"] = library_seconds / call_seconds;
}

}  // namespace

void register_attention() {
  for (const std::string name : {"cudnn", "flash3", "flash"}) {
    std::shared_ptr<const GpuKernel> kernel;
    try {
      kernel = open_gpu_kernel(name, kShape).kernel;
    } catch (const std::exception& error) {  // not built, or not supported by this GPU
      std::fprintf(stderr, "cpbench_gpu_micro: kernel %s is skipped: %s\n", name.c_str(),
                   error.what());
      continue;
    }
    for (const Case& c : cases()) {
      for (bool backward : {false, true}) {
        const std::string pass = backward ? "backward" : "forward";
        benchmark::RegisterBenchmark(
            ("attention/" + name + "/" + pass + "/" + c.name).c_str(),
            [=](benchmark::State& state) { attention(state, *kernel, c, backward); })
            ->UseManualTime()
            ->Unit(benchmark::kMicrosecond);
      }
    }
  }
}

}  // namespace cpbench
