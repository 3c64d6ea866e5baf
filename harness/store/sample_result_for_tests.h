// A complete Result without running anything, for the tests of files and figures: real plans of a
// small ring or all-gather, and invented times.
#pragma once

#include <algorithm>
#include <numeric>
#include <string>

#include "harness/measure/plan_summary.h"
#include "harness/measure/result.h"
#include "harness/plan/builder.h"
#include "harness/plan/check.h"

namespace cpbench {

inline void sample_ring(PlanBuilder& b, int32_t ranks) {
  PassBuilder f = b.forward();
  for (int32_t step = 0; step < ranks; ++step) {
    for (int32_t r = 0; r < ranks; ++r) {
      const SetId kv = b.home_of((r + ranks - step) % ranks);
      f.attend(step, r, b.home_of(r), kv);
      if (step + 1 < ranks) f.send(step, r, (r + 1) % ranks, Tensor::kv, kv);
    }
  }
  b.backward_travelling();
}

inline void sample_allgather(PlanBuilder& b, int32_t ranks, int64_t padded_tokens) {
  PassBuilder f = b.forward();
  const int32_t collective = f.collective(CollectiveKind::all_gather, padded_tokens);
  for (int32_t r = 0; r < ranks; ++r) {
    f.multicast(0, r, b.all_ranks(), Tensor::kv, b.home_of(r), {}, collective);
    for (int32_t s = 0; s < ranks; ++s) f.attend(1, r, b.home_of(r), b.home_of(s));
  }
  b.backward_by_return();
}

inline Plan sample_plan(const Problem& problem, const std::string& strategy) {
  PlanBuilder b(problem);
  const int32_t ranks = problem.ranks();
  const int64_t tokens = problem.tokens(), share = (tokens + ranks - 1) / ranks;
  for (int32_t r = 0; r < ranks; ++r) {
    const Range owned{std::min(r * share, tokens), std::min((r + 1) * share, tokens)};
    b.home(r, normalise({owned}));
  }
  if (strategy == "allgather") {
    sample_allgather(b, ranks, share);
  } else {
    sample_ring(b, ranks);
  }
  return b.finish();
}

inline Timeline sample_timeline(const PlanSummary& summary, int32_t ranks, int32_t iterations,
                                double slowness) {
  Timeline t;
  t.ranks = ranks;
  t.iterations = iterations;
  for (int32_t i = 0; i < iterations; ++i) {
    for (int32_t r = 0; r < ranks; ++r) {
      const double attention = 1e-9 * static_cast<double>(summary.pairs_per_rank[r]) * slowness;
      t.attention_seconds.push_back(attention);
      t.overhead_seconds.push_back(1e-5 * (1 + i));
      t.seconds.push_back(attention + 1e-4 * (1 + 0.3 * ((i * 7 + r * 3) % 5)));
    }
  }
  t.portions = {.work_seconds = std::vector<double>(ranks, 0.5 * slowness),
                .attention_seconds = std::vector<double>(ranks, 0.25),
                .copy_seconds = std::vector<double>(ranks, 0.125),
                .layer_seconds = std::vector<double>(ranks, 0.0625),
                .host_seconds = std::vector<double>(ranks, 0.03125),
                .overhead_seconds = std::vector<double>(ranks, 0.015625),
                .exchange_seconds = std::vector<double>(ranks, 0.375)};
  t.bytes_sent.assign(static_cast<size_t>(ranks) * ranks, 0);
  t.messages.assign(static_cast<size_t>(ranks) * ranks, 0);
  for (int32_t r = 0; r + 1 < ranks; ++r) {
    t.bytes_sent[r * ranks + r + 1] = summary.forward.bytes_out[r];
    t.messages[r * ranks + r + 1] = ranks - 1;
  }
  t.clock_share.assign(static_cast<size_t>(iterations) * ranks, 0.9);
  t.accepted.assign(iterations, 1);
  t.clock_share.back() = 0.5;
  t.accepted.back() = 0;
  t.peak_bytes.assign(ranks, 1 << 19);
  for (int32_t r = 0; r < ranks; ++r) {
    t.events.push_back({r, 0, 0, Activity::attention, 0.0, t.attention_seconds[r]});
    t.events.push_back({r, 1, 0, Activity::wait, t.attention_seconds[r], t.seconds[r]});
  }
  t.accuracy = {1e-14, 2e-14, 1e-10, 1e-10, 5e-15, 6e-15};
  return t;
}

struct SampleResult {
  std::string strategy = "ring";
  std::string workload = "pile";
  std::vector<int64_t> document_lengths = {300, 1, 130, 81};
  int32_t ranks = 4;
  int32_t packs = 2;
  Status status = Status::ok;
  bool run = true;
  bool oversubscribed = false;
  double slowness = 1;
};

inline Result sample_result(const SampleResult& sample) {
  Result result;
  RunSpec& spec = result.spec;
  spec.strategy = sample.strategy;
  spec.workload = sample.workload;
  spec.packing = "truncate";
  for (int64_t length : sample.document_lengths) spec.tokens += length;
  spec.packs = sample.packs;
  spec.ranks = sample.ranks;
  spec.shape_name = "tiny";
  spec.shape = {4, 2, 32, 32, Dtype::float64, 0, 0};
  spec.backend = sample.run ? "threads" : "plan";
  spec.kernel = sample.run ? "reference" : "";
  spec.warmup = 1;
  spec.iterations = 5;
  result.status = sample.status;
  result.oversubscribed = sample.oversubscribed;
  result.peak_flops_per_second = sample.oversubscribed ? 0 : 1e10;
  if (sample.status != Status::ok) result.error = "a reason of one line";
  result.cluster.gpus_per_node = sample.ranks;
  const Problem problem{{sample.document_lengths}, spec.shape, result.cluster};
  int64_t pairs = 0, wire = 0;
  double seconds = 0, imbalance = 0;
  for (int32_t i = 0; i < sample.packs; ++i) {
    PackResult pack;
    pack.batch = problem.batch;
    if (sample.status == Status::ok) {
      pack.plan = sample_plan(problem, sample.strategy);
      pack.summary = summary_of(problem, pack.plan, check(problem, pack.plan), spec.passes);
      pack.properties = {{"groups", 1.0 + i, ""}, {"planned_seconds", 0.5, "s"}};
      pack.planning_seconds = 1e-4;
      pack.check_seconds = 2e-4;
      pack.compile_seconds = 3e-4;
      pack.communicator_seconds = 4e-4;
      const std::vector<int64_t>& per_rank = pack.summary.pairs_per_rank;
      const int64_t most = *std::max_element(per_rank.begin(), per_rank.end());
      const int64_t sum = std::accumulate(per_rank.begin(), per_rank.end(), int64_t{0});
      pairs += sum;
      wire += pack.summary.forward.wire_bytes + pack.summary.backward.wire_bytes;
      imbalance = static_cast<double>(most) * sample.ranks / static_cast<double>(sum);
      if (sample.run) {
        pack.timeline = sample_timeline(pack.summary, sample.ranks, 5, sample.slowness);
        seconds += pack.timeline.seconds[0];
      }
    }
    result.packs.push_back(std::move(pack));
  }
  if (sample.status != Status::ok) return result;
  result.metrics = {
      {"wire_bytes", static_cast<double>(wire), "bytes", "lower", "bytes on the wire", 1},
      {"compute_imbalance", imbalance, "1", "lower", "most loaded rank over the mean", 1},
  };
  if (sample.run && !sample.oversubscribed) {
    const double flops = 3.5 * 4 * spec.shape.head_dim * static_cast<double>(pairs);
    result.metrics.push_back({"mfu", flops / (sample.ranks * 1e10 * seconds), "1", "higher",
                              "model FLOPs over peak FLOPs", 1});
  }
  return result;
}

}  // namespace cpbench
