#include "harness/cli/calibration_calls.h"

#include <functional>

#include "harness/execute/gpus/gpu.h"

namespace cpbench {
namespace {

struct Kind {
  int64_t count, q_tokens, kv_tokens;
};

using Calls = std::vector<std::vector<Kind>>;

// Calls of one segment, of other segments of one kind (after a prefix, or many), and of several
// kinds.
struct CallSet {
  std::vector<int64_t> one_segment;  // tokens
  std::vector<Kind> others;
  Calls mixed;

  Calls all() const {
    Calls calls;
    for (int64_t tokens : one_segment) calls.push_back({{1, tokens, tokens}});
    for (const Kind& kind : others) calls.push_back({kind});
    calls.insert(calls.end(), mixed.begin(), mixed.end());
    return calls;
  }
};

// The calls of a core. Each is measured causal and full. Strategies cut documents into pieces of
// any length, let pieces attend to longer prefixes, and put many short documents next to a long
// one. As in real packs most lengths are no multiple of a vector, whose last elements cost more.
const CallSet kCoreCalls = {
    .one_segment = {1, 7, 19, 42, 64, 101, 131, 189, 253, 403, 512, 697, 790, 1003, 1511, 2045,
                    2998, 4096},
    .others = {{1, 5, 703},     {1, 16, 2003},   {1, 61, 127},   {1, 66, 517},   {1, 128, 256},
               {1, 123, 2044},  {1, 251, 503},   {1, 260, 4091}, {1, 499, 1701}, {1, 512, 1024},
               {1, 1021, 3069}, {1, 1030, 2051}, {200, 5, 5},    {64, 17, 17},   {50, 30, 91},
               {32, 67, 67},    {16, 128, 128},  {16, 101, 299}, {8, 259, 259},  {5, 333, 333},
               {4, 509, 509},   {4, 301, 1205}},
    .mixed = {{{1, 3, 3}, {1, 17, 17}, {1, 60, 60}, {1, 211, 211}, {1, 500, 500}},
              {{3, 21, 21}, {2, 90, 403}, {1, 350, 350}, {1, 907, 907}},
              {{10, 13, 13}, {5, 47, 47}, {2, 151, 151}, {1, 601, 1207}},
              {{2, 77, 77}, {2, 130, 641}, {1, 1027, 1027}},
              {{50, 20, 20}, {1, 2043, 2043}},
              {{100, 9, 9}, {1, 1022, 1022}},
              {{20, 99, 99}, {1, 2990, 2990}},
              {{100, 31, 31}, {1, 805, 805}}}};

// The calls of a GPU, whose tiles are 64 to 256 rows and whose SMs need dozens of tiles. To fit a
// term of the model, calls must differ in it: partly filled tiles, few tiles (SMs wait for the
// longest one), many KV blocks of few queries, and grids whose blocks are mostly empty.
const CallSet kGpuCalls = {
    .one_segment = {64, 128, 300, 512, 1000, 2048, 4096, 7001, 8192, 16384, 32768, 98304},
    .others = {{1, 17, 4000},    {1, 128, 2048},    {1, 128, 16384},  {1, 500, 9001},
               {1, 1024, 8192},  {1, 2048, 4096},   {1, 2000, 30000}, {1, 4096, 16384},
               {1, 8192, 32768}, {1, 4096, 131072}, {1000, 16, 16},   {500, 65, 65},
               {256, 128, 128},  {128, 129, 129},   {64, 512, 512},   {100, 300, 900},
               {32, 1000, 1000}, {16, 2048, 2048},  {16, 256, 4096},  {8, 4096, 4096},
               {8, 1024, 8192},  {4, 8192, 8192}},
    .mixed = {{{1, 40, 40}, {1, 170, 170}, {1, 700, 700}, {1, 2900, 2900}, {1, 12000, 12000}},
              {{30, 60, 60}, {10, 300, 300}, {3, 1500, 1500}, {1, 7000, 7000}},
              {{50, 128, 128}, {20, 500, 2000}, {2, 3001, 9000}},
              {{8, 777, 777}, {4, 1333, 5000}, {2, 6000, 6000}},
              {{100, 50, 50}, {1, 8192, 8192}},
              {{400, 100, 100}, {1, 16384, 16384}},
              {{1000, 30, 30}, {1, 4096, 4096}},
              {{200, 300, 300}, {1, 30000, 30000}}}};

std::vector<Segment> rows_of(const std::vector<AttentionSegment>& segments) {
  std::vector<Segment> rows;
  Segment next;
  for (const AttentionSegment& s : segments) {
    next.q_rows = s.q_tokens;
    next.kv_rows = s.kv_tokens;
    next.mask = s.causal ? SegmentMask::causal : SegmentMask::full;
    for (int64_t copy = 0; copy < s.count; ++copy) {
      rows.push_back(next);
      next.q_row = next.out_row = next.q_row + s.q_tokens;
      next.kv_row = next.dkv_row = next.kv_row + s.kv_tokens;
    }
  }
  return rows;
}

std::vector<KernelSample> samples_of(const Calls& kinds, const AttentionShape& shape) {
  // Calls of all heads and of one KV head tell costs per segment from costs per head.
  const int32_t all = shape.query_heads, few = shape.query_heads / shape.kv_heads;
  std::vector<KernelSample> samples;
  for (size_t i = 0; i < kinds.size(); ++i) {
    for (bool causal : {true, false}) {
      KernelSample& sample = samples.emplace_back();
      for (const Kind& k : kinds[i]) {
        sample.segments.push_back({k.q_tokens, k.kv_tokens, causal, k.count});
      }
      sample.query_heads = (i + (causal ? 1 : 0)) % 3 == 0 ? few : all;
    }
  }
  return samples;
}

std::vector<TimedCall> calls_of(const std::vector<KernelSample>& samples) {
  std::vector<TimedCall> calls;
  for (const KernelSample& sample : samples) {
    calls.push_back({.heads = {0, static_cast<int32_t>(sample.query_heads)},
                     .segments = rows_of(sample.segments)});
  }
  return calls;
}

using Time = std::function<void(std::span<TimedCall>)>;

MeasuredCalls measure(const Calls& kinds, const AttentionShape& shape, const Time& time) {
  const std::vector<KernelSample> samples = samples_of(kinds, shape);
  std::vector<TimedCall> timed = calls_of(samples);
  time(timed);
  MeasuredCalls calls{shape.head_dim, samples, samples};
  for (size_t i = 0; i < timed.size(); ++i) {
    calls.forward[i].seconds = timed[i].forward_seconds;
    calls.backward[i].seconds = timed[i].backward_seconds;
  }
  return calls;
}

}  // namespace

MeasuredCalls measure_cpu_calls(const std::string& kernel, const AttentionShape& shape) {
  return measure(kCoreCalls.all(), shape,
                 [&](std::span<TimedCall> calls) { time_calls(kernel, shape, calls); });
}

std::vector<TimedCall> gpu_calibration_calls(const AttentionShape& shape) {
  return calls_of(samples_of(kGpuCalls.all(), shape));
}

MeasuredCalls measure_gpu_calls(const std::string& kernel, const AttentionShape& shape) {
  return measure(kGpuCalls.all(), shape,
                 [&](std::span<TimedCall> calls) { open_gpus().time_calls(kernel, shape, calls); });
}

}  // namespace cpbench
