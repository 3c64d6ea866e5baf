// Attention calls through the harness, and what they ask of their library alone, launched in turns:
// `of_library` is the library's time over the whole call's. Names say kernel, pass and call.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "harness/execute_cuda/open_kernel.h"
#include "harness/plan/errors.h"
#include "harness/plan/sizes.h"
#include "tests/gpu_micro/gpu_bench.h"

namespace cpbench {
namespace {

// The shape whose times cuDNN publishes.
constexpr AttentionShape kShape{.query_heads = 64,
                                .kv_heads = 8,
                                .head_dim = 128,
                                .value_head_dim = 128,
                                .dtype = Dtype::bfloat16};
constexpr Heads kHeads{0, 64}, kKvHeads{0, 8};

struct Case {
  std::string name;
  std::vector<int32_t> lengths;  // of causal documents
};

// Documents of every size, the longest first: half of what is left, at most `longest`.
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
  const int64_t rows = segments.back().q_row + segments.back().q_rows;
  constexpr auto kModel = ElementClass::model, kSum = ElementClass::accumulation;
  const DeviceBuffer q(kShape, Tensor::q, kModel, kHeads, rows);
  const DeviceBuffer kv(kShape, Tensor::kv, kModel, kKvHeads, rows);
  const DeviceBuffer o(kShape, Tensor::o, kModel, kHeads, rows);
  const DeviceBuffer d_o(kShape, Tensor::d_o, kModel, kHeads, rows);
  const DeviceBuffer dq(kShape, Tensor::dq, kSum, kHeads, rows);
  const DeviceBuffer dkv(kShape, Tensor::dkv, kSum, kKvHeads, rows);
  std::unique_ptr<BoundCall> call;
  if (backward) {
    call = kernel.bind(BackwardCall{kShape, kHeads, segments, q.part(0), kv.part(0), kv.part(1),
                                    d_o.part(2), d_o.part(0), d_o.part(1), dq.part(0), dkv.part(0),
                                    dkv.part(1)});
  } else {
    call = kernel.bind(ForwardCall{kShape, kHeads, segments, q.part(0), kv.part(0), kv.part(1),
                                   o.part(1), o.part(0)});
  }
  const DeviceArray<std::byte> workspace(static_cast<size_t>(call->workspace_bytes()));
  const auto whole = [&] { call->launch(stream(), workspace.data()); };
  const auto library = [&] { call->launch_library(stream(), workspace.data()); };
  Stopwatch watch;
  const double first = std::max(watch.time(whole, 1), watch.time(whole, 1));
  const auto launches = static_cast<int64_t>(std::clamp(2e-3 / first, 1.0, 50.0));
  double whole_seconds = 0, library_seconds = 0;
  for (auto _ : state) {
    const double once = watch.time(whole, launches);
    library_seconds += watch.time(library, launches);
    whole_seconds += once;
    state.SetIterationTime(once);
  }
  const auto n = static_cast<double>(state.iterations());
  state.counters["tflops"] = flops_of(segments, backward) * n / whole_seconds / 1e12;
  state.counters["of_library"] = library_seconds / whole_seconds;
}

}  // namespace

void register_attention() {
  for (const std::string name : {"cudnn", "flash"}) {
    std::shared_ptr<const GpuKernel> kernel;
    try {
      kernel = open_gpu_kernel(name, kShape).kernel;
    } catch (const std::exception& error) {  // it says so where it is asked for
      std::fprintf(stderr, "cpbench_gpu_micro: kernel %s is left out: %s\n", name.c_str(),
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
