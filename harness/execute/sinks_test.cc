// Attention sinks by their definition, and that each executor that forgets or repeats them is
// found.
#include "harness/execute/sinks.h"

#include <gtest/gtest.h>

#include "harness/execute/bound_buffer.h"
#include "harness/execute/execute.h"
#include "harness/execute/inputs.h"
#include "harness/execute/program_for_tests.h"

namespace cpbench {
namespace {

constexpr AttentionShape kShape{.query_heads = 2,
                                .kv_heads = 1,
                                .head_dim = 4,
                                .value_head_dim = 3,
                                .dtype = Dtype::float64,
                                .attention_sinks = true};
constexpr Heads kHeads{0, 2};

// O and log-sum-exp of two rows.
struct Output {
  Output() : buffer({.tensor = Tensor::o, .heads = kHeads, .rows = 2}, kShape) {
    for (int64_t i = 0; i < 4; ++i) {
      const auto number = static_cast<double>(i);
      buffer.part(0).at<double>(0, 0)[i] = number - 1;
      for (int64_t d = 0; d < 3; ++d) {
        buffer.part(1).at<double>(0, 0)[3 * i + d] = std::sin(3 * number + static_cast<double>(d));
      }
    }
  }
  HostBuffer buffer;
};

TEST(Sinks, take_their_share_of_the_softmax_once) {
  const std::vector<double> logits = {0.5, -2};
  const Output before, after;
  run_sinks(logits, after.buffer.bound, 2);
  for (int64_t i = 0; i < 4; ++i) {
    const double own = std::exp(static_cast<double>(i) - 1), sink = std::exp(logits[i % 2]);
    EXPECT_NEAR(after.buffer.part(0).at<double>(0, 0)[i], std::log(own + sink), 1e-15);
    for (int64_t d = 3 * i; d < 3 * i + 3; ++d) {
      EXPECT_NEAR(after.buffer.part(1).at<double>(0, 0)[d],
                  before.buffer.part(1).at<double>(0, 0)[d] * own / (own + sink), 1e-15);
    }
  }
}

TEST(Sinks, a_row_that_sees_no_key_is_zero) {
  const Output out;
  out.buffer.part(0).at<double>(0, 0)[0] = -std::numeric_limits<double>::infinity();
  for (int64_t d = 0; d < 3; ++d) out.buffer.part(1).at<double>(0, 0)[d] = 0;
  run_sinks(std::vector<double>{0.5, -2}, out.buffer.bound, 2);
  EXPECT_EQ(out.buffer.part(0).at<double>(0, 0)[0], 0.5);
  EXPECT_EQ(out.buffer.part(1).at<double>(0, 0)[0], 0);
}

// The sum of dO * O, whose derivative by the logits is their gradient.
double loss(const std::vector<double>& logits, const HostBuffer& d_o) {
  const Output out;
  run_sinks(logits, out.buffer.bound, 2);
  double sum = 0;
  for (int64_t i = 0; i < 12; ++i) {
    sum += d_o.part(2).at<double>(0, 0)[i] * out.buffer.part(1).at<double>(0, 0)[i];
  }
  return sum;
}

TEST(Sinks, their_gradient_is_that_of_finite_differences) {
  const std::vector<double> logits = {0.5, -2};
  const HostBuffer d_o({.tensor = Tensor::d_o, .heads = kHeads, .rows = 2}, kShape);
  fill_input(d_o.part(2), Input::d_o, {0, 2}, 0, 1);
  const Output out;
  run_sinks(logits, out.buffer.bound, 2);
  run_row_sums(out.buffer.bound, d_o.bound, 2);
  std::vector<double> gradient(2, 1e9);
  run_sink_gradient(logits, d_o.bound, 2, gradient);
  const std::vector<double> by_row = sink_gradients(logits, d_o.bound, 2);
  for (size_t head = 0; head < 2; ++head) {
    constexpr double kStep = 1e-5;
    std::vector<double> more = logits, less = logits;
    more[head] += kStep;
    less[head] -= kStep;
    EXPECT_NEAR(gradient[head], (loss(more, d_o) - loss(less, d_o)) / (2 * kStep), 1e-9) << head;
    EXPECT_NEAR(gradient[head], by_row[head] + by_row[2 + head], 1e-15) << head;
  }
}

Problem problem_with_sinks() {
  Problem problem;
  problem.batch.document_lengths = {40, 24};
  problem.shape = kShape;
  problem.shape.value_head_dim = 4;
  problem.cluster.gpus_per_node = 3;
  return problem;
}

Accuracy accuracy_of(const Program& program) {
  return execute_threads(problem_with_sinks(), program, {.warmup = 0, .iterations = 1}).accuracy;
}

TEST(Sinks, at_home_after_the_last_merge_they_are_right) {
  EXPECT_TRUE(accuracy_of(program_of(problem_with_sinks())).ok());
}

TEST(Sinks, bad_none_at_all) {
  Problem without = problem_with_sinks();
  without.shape.attention_sinks = false;
  EXPECT_GT(accuracy_of(program_of(without)).max_error_output, 1e-3);
}

TEST(Sinks, bad_at_every_merge) {
  Program program = program_of(problem_with_sinks());
  int inserted = 0;
  for (RankProgram& rank : program.ranks) {
    std::vector<Op> ops;
    for (ProgramStep& step : rank.steps) {
      const auto first = static_cast<int32_t>(ops.size());
      for (int32_t i = step.first_op; i < step.first_op + step.ops; ++i) {
        const Op op = rank.ops[i];
        ops.push_back(op);
        if (op.kind != OpKind::rows || rank.row_ops[op.index].target != rank.o ||
            rank.row_ops[op.index].mode != RowMode::accumulate) {
          continue;
        }
        ops.push_back({OpKind::sinks, 0});
        ++inserted;
      }
      step.first_op = first;
      step.ops = static_cast<int32_t>(ops.size()) - first;
    }
    rank.ops = std::move(ops);
  }
  ASSERT_GT(inserted, 0);
  EXPECT_GT(accuracy_of(program).max_error_output, 1e-3);
}

TEST(Sinks, bad_without_their_gradient) {
  const Problem problem = problem_with_sinks();
  const auto reference = reference_for(problem.batch, problem.shape, 1, Passes::both);
  EXPECT_GT(sink_error(std::vector<double>(2, 0), {{0, 64}}, *reference), 1e-3);
}

}  // namespace
}  // namespace cpbench
