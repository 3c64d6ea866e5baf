#include "harness/cli/cpu_calls.h"

#include <algorithm>

namespace cpbench {
namespace {

struct Kind {
  int64_t count, q_tokens, kv_tokens;
};

// Each is measured causal and full. Strategies cut documents into pieces of any length, attend
// pieces to longer prefixes, and put many short documents beside a long one.
const std::vector<std::vector<Kind>> kCalls = {
    // one short segment
    {{1, 1, 1}},
    {{1, 7, 7}},
    {{1, 16, 16}},
    {{1, 40, 40}},
    {{1, 64, 64}},
    {{1, 100, 100}},
    {{1, 130, 130}},
    {{1, 192, 192}},
    {{1, 256, 256}},
    // one long segment
    {{1, 400, 400}},
    {{1, 512, 512}},
    {{1, 700, 700}},
    {{1, 768, 768}},
    {{1, 1000, 1000}},
    {{1, 1500, 1500}},
    {{1, 2048, 2048}},
    {{1, 3000, 3000}},
    {{1, 4096, 4096}},
    // behind a prefix
    {{1, 1, 700}},
    {{1, 16, 2000}},
    {{1, 64, 128}},
    {{1, 64, 512}},
    {{1, 128, 256}},
    {{1, 128, 2048}},
    {{1, 256, 512}},
    {{1, 256, 4096}},
    {{1, 500, 1700}},
    {{1, 512, 1024}},
    {{1, 1024, 3072}},
    {{1, 1024, 2048}},
    // many
    {{200, 5, 5}},
    {{64, 16, 16}},
    {{50, 30, 90}},
    {{32, 64, 64}},
    {{16, 128, 128}},
    {{16, 100, 300}},
    {{8, 256, 256}},
    {{5, 333, 333}},
    {{4, 512, 512}},
    {{4, 300, 1200}},
    // ragged
    {{1, 3, 3}, {1, 17, 17}, {1, 60, 60}, {1, 211, 211}, {1, 500, 500}},
    {{3, 20, 20}, {2, 90, 400}, {1, 350, 350}, {1, 900, 900}},
    {{10, 12, 12}, {5, 48, 48}, {2, 150, 150}, {1, 600, 1200}},
    {{2, 77, 77}, {2, 128, 640}, {1, 1024, 1024}},
    // one long beside many short
    {{50, 20, 20}, {1, 2048, 2048}},
    {{100, 8, 8}, {1, 1024, 1024}},
    {{20, 100, 100}, {1, 3000, 3000}},
    {{100, 30, 30}, {1, 800, 800}},
};

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

}  // namespace

MeasuredCalls measure_cpu_calls(const std::string& kernel, const AttentionShape& shape) {
  // All heads, and those of one KV head: what is per segment and what per head are told apart.
  const int32_t all = shape.query_heads, few = shape.query_heads / shape.kv_heads;
  std::vector<TimedCall> timed;
  std::vector<KernelSample> samples;
  for (size_t i = 0; i < kCalls.size(); ++i) {
    for (bool causal : {true, false}) {
      KernelSample sample;
      for (const Kind& k : kCalls[i]) {
        sample.segments.push_back({k.q_tokens, k.kv_tokens, causal, k.count});
      }
      sample.query_heads = (i + (causal ? 1 : 0)) % 3 == 0 ? few : all;
      TimedCall call;
      call.heads = {0, sample.query_heads};
      call.segments = rows_of(sample.segments);
      timed.push_back(std::move(call));
      samples.push_back(std::move(sample));
    }
  }
  time_calls(kernel, shape, timed);
  MeasuredCalls calls{shape.head_dim, samples, samples};
  for (size_t i = 0; i < timed.size(); ++i) {
    calls.forward[i].seconds = timed[i].forward_seconds;
    calls.backward[i].seconds = timed[i].backward_seconds;
  }
  return calls;
}

}  // namespace cpbench
