// What ends a run of the threads executor, and that runs are deterministic.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>

#include "harness/execute/execute_with.h"
#include "harness/execute/program_for_tests.h"
#include "harness/execute/run_control.h"
#include "harness/plan/error_of_for_tests.h"

namespace cpbench {
namespace {

Problem problem_of(int32_t ranks) {
  Problem problem;
  problem.batch.document_lengths = {40, 24};
  problem.shape = {.query_heads = 2, .kv_heads = 2, .head_dim = 8, .value_head_dim = 8};
  problem.cluster.gpus_per_node = ranks;
  return problem;
}

// Loses the messages from one rank to another.
class LossyTransport : public Mailbox {
 public:
  LossyTransport(int32_t ranks, int32_t from, int32_t to) : Mailbox(ranks), from_(from), to_(to) {}
  void send(int32_t from, int32_t to, int32_t tag, std::span<const std::byte> bytes) override {
    if (from != from_ || to != to_) Mailbox::send(from, to, tag, bytes);
  }

 private:
  int32_t from_, to_;
};

template <typename Failure = ExecutionFailure>
std::string failure_of(const Problem& problem, const Kernel& kernel, Transport& transport,
                       double timeout_seconds) {
  ExecuteOptions options;
  options.timeout_seconds = timeout_seconds;
  return error_of<Failure>(
      [&] { execute_with(problem, program_of(problem), options, kernel, transport); });
}

TEST(Threads, a_rank_that_throws_ends_the_run_by_name) {
  const Problem problem = problem_of(2);
  Mailbox mailbox(2);
  EXPECT_EQ(failure_of(problem, BreakingKernel(), mailbox, 60),
            "rank 1, backward step 1: kernel broke");
}

TEST(Threads, a_rank_that_hangs_ends_the_run_by_name) {
  const Problem problem = problem_of(3);
  LossyTransport lossy(3, 0, 2);
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(failure_of<NoProgress>(problem, *make_reference_kernel(), lossy, 0.3),
            "rank 2, forward step 0: no progress for 0.3 s, waiting for a message from rank 0");
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(30));
}

TEST(Threads, a_transport_that_throws_ends_the_run_by_name) {
  class Full : public Mailbox {
   public:
    Full() : Mailbox(2) {}
    void send(int32_t, int32_t, int32_t, std::span<const std::byte>) override {
      throw std::runtime_error("no room");
    }
  } full;
  EXPECT_EQ(failure_of(problem_of(2), *make_reference_kernel(), full, 60),
            "rank 0, forward step 0: no room");
}

// Records values of the outputs of all kernel calls.
class RecordingKernel : public Kernel {
 public:
  explicit RecordingKernel(std::vector<double>& sums) : sums_(sums) {}
  void forward(const ForwardCall& call) const override { inner_->forward(call); }
  void backward(const BackwardCall& call) const override {
    inner_->backward(call);
    for (const Segment& s : call.segments) {  // one rank: one thread, no lock
      for (int64_t i = 0; i < s.q_rows; ++i) {
        sums_.push_back(call.dq.at<float>(s.out_row + i, 0)[0]);
        sums_.push_back(call.lse.at<float>(s.q_row + i, 0)[0]);
      }
    }
  }

 private:
  std::vector<double>& sums_;
  std::unique_ptr<Kernel> inner_ = make_kernel("fused");
};

TEST(Threads, iterations_are_equal_bit_by_bit) {
  const Problem problem = problem_of(1);
  std::vector<double> values;
  Mailbox mailbox(1);
  execute_with(problem, program_of(problem), {.warmup = 1, .iterations = 2},
               RecordingKernel(values), mailbox);
  ASSERT_EQ(values.size() % 3, 0u);
  const size_t each = values.size() / 3;
  for (size_t i = 0; i < each; ++i) {
    ASSERT_EQ(values[i], values[i + each]);
    ASSERT_EQ(values[i], values[i + 2 * each]);
  }
}

TEST(Threads, ranks_merge_in_the_same_order_every_time) {
  const Problem problem = problem_of(4);
  const Program program = program_of(problem);
  double output = 0, gradient = 0;
  for (int run = 0; run < 5; ++run) {
    const Timeline t = execute_threads(problem, program, {.warmup = 0, .iterations = 1});
    EXPECT_TRUE(t.accuracy.ok());
    if (run == 0) output = t.accuracy.max_error_output;
    if (run == 0) gradient = t.accuracy.max_error_gradient;
    EXPECT_EQ(t.accuracy.max_error_output, output);
    EXPECT_EQ(t.accuracy.max_error_gradient, gradient);
  }
}

TEST(Threads, the_timeline_is_filled) {
  const Problem problem = problem_of(2);
  const Timeline t = execute_threads(problem, program_of(problem), {.warmup = 1, .iterations = 2});
  ASSERT_EQ(t.seconds.size(), 4u);
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_GT(t.attention_seconds[i], 0);
    EXPECT_GE(t.overhead_seconds[i], 0);
    EXPECT_GT(t.seconds[i], t.attention_seconds[i] + t.overhead_seconds[i]);
  }
  EXPECT_EQ(t.messages, (std::vector<int64_t>{0, 1, 1, 0}));
  EXPECT_GT(t.peak_bytes[0], 0);
  EXPECT_FALSE(t.events.empty());
}

// Counts kernel calls.
class CountingKernel : public Kernel {
 public:
  void forward(const ForwardCall& call) const override {
    ++calls;
    inner_->forward(call);
  }
  void backward(const BackwardCall& call) const override {
    ++calls;
    inner_->backward(call);
  }
  mutable std::atomic<int64_t> calls = 0;

 private:
  std::unique_ptr<Kernel> inner_ = make_reference_kernel();
};

TEST(Threads, portions_are_measured_after_the_samples_and_count_nothing) {
  const Problem problem = problem_of(2);
  const Program program = program_of(problem);
  const auto run = [&](bool portions, Transport& transport, const Kernel& kernel) {
    return execute_with(problem, program, {.warmup = 1, .iterations = 4, .portions = portions},
                        kernel, transport);
  };
  Mailbox mailbox(2), inner(2);
  CountingTransport all(inner, 2);
  CountingKernel without_kernel, with_kernel;
  const Timeline without = run(false, mailbox, without_kernel);
  const Timeline with = run(true, all, with_kernel);
  EXPECT_EQ(with.bytes_sent, without.bytes_sent);
  EXPECT_EQ(with.messages, without.messages);
  EXPECT_EQ(with.output_hash, without.output_hash);
  EXPECT_EQ(with.events.size(), without.events.size());
  EXPECT_TRUE(without.portions.work_seconds.empty());
  for (auto times : PortionTimes::members()) EXPECT_EQ((with.portions.*times).size(), 3u * 2);
  // Three iterations of each portion follow five of the whole: work calls kernels and sends
  // messages without bytes, exchanges send bytes and call no kernel.
  EXPECT_EQ(with_kernel.calls, without_kernel.calls / 5 * (5 + 3));
  EXPECT_EQ(all.bytes_from(0)[1], with.bytes_sent[1] * (5 + 3));
  EXPECT_EQ(all.messages_from(0)[1], with.messages[1] * (5 + 3 + 3));
}

TEST(Threads, different_head_dims_run_on_the_plain_kernel) {
  Problem problem = problem_of(2);
  problem.shape.value_head_dim = 4;
  problem.shape.dtype = Dtype::float64;
  const Timeline t = execute_threads(problem, program_of(problem),
                                     {.kernel = "reference", .warmup = 0, .iterations = 1});
  EXPECT_TRUE(t.accuracy.ok());
  EXPECT_LE(t.accuracy.max_error_gradient, 1e-12);
}

TEST(CorePeak, is_measured_once) {
  const double peak = core_peak_flops_per_second(Dtype::float32);
  EXPECT_GT(peak, 1e8);
  EXPECT_EQ(core_peak_flops_per_second(Dtype::float32), peak);
}

}  // namespace
}  // namespace cpbench
