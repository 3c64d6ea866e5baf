// The layer around the attention: its reference against LibTorch's automatic differentiation, and
// runs on several ranks against the reference.
#include "harness/execute/layer.h"

#include <ATen/Functions.h>
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "harness/execute/program_for_tests.h"
#include "harness/execute/rank_report.h"
#include "harness/execute/torch.h"
#include "harness/plan/mask.h"

namespace cpbench {
namespace {

constexpr uint64_t kSeed = 3;

AttentionShape shape_of(int64_t ffn_size, Dtype dtype = Dtype::float64) {
  return {.query_heads = 4,
          .kv_heads = 2,
          .head_dim = 8,
          .value_head_dim = 8,
          .dtype = dtype,
          .hidden_size = 24,
          .ffn_size = ffn_size};
}

Problem problem_of(int32_t ranks, const AttentionShape& shape) {
  Problem problem;
  problem.batch.document_lengths = {13, 30, 8};
  problem.shape = shape;
  problem.cluster.gpus_per_node = ranks;
  return problem;
}

std::vector<double> values_of(const at::Tensor& t) {
  const at::Tensor values = t.contiguous();
  return {values.const_data_ptr<double>(), values.const_data_ptr<double>() + values.numel()};
}

void expect_near(const std::vector<double>& a, const std::vector<double>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) ASSERT_NEAR(a[i], b[i], 1e-12) << i;
}

// The whole layer as one function, whose gradients LibTorch derives.
Reference differentiated(const Batch& batch, const AttentionShape& shape) {
  const int64_t tokens = batch.tokens(), hidden = shape.hidden_size, ffn = shape.ffn_size;
  const int64_t heads = shape.query_heads, kv_heads = shape.kv_heads;
  std::vector<at::Tensor> weights;
  const auto input = [&](LayerInput which, int64_t rows, int64_t columns) {
    at::Tensor t = at::empty({rows, columns}, at::kDouble);
    const Dense dense{static_cast<std::byte*>(t.data_ptr()), Dtype::float64, rows, columns};
    fill_input(dense.matrix(), Input::q, {0, rows}, 0, layer_input_seed(which, kSeed));
    return t.requires_grad_(true);
  };
  const auto times_weight = [&](const at::Tensor& in, LayerInput which, int64_t columns) {
    weights.push_back(input(which, in.size(1), columns));
    return in.mm(weights.back()) / std::sqrt(static_cast<double>(in.size(1)));
  };
  const auto of_heads = [&](const at::Tensor& rows, int64_t count) {
    return rows.view({tokens, count, -1}).transpose(0, 1).repeat_interleave(heads / count, 0);
  };
  const at::Tensor hidden_pairs =
      at::full({tokens, tokens}, -std::numeric_limits<double>::infinity(), at::kDouble);
  const MaskIndex mask(batch);
  for (int64_t q = 0; q < tokens; ++q) {
    for (const Range& keys : mask.keys_seen(Ranges{{q, q + 1}})) {
      hidden_pairs[q].narrow(0, keys.begin, keys.size()).zero_();
    }
  }
  const at::Tensor x = input(LayerInput::x, tokens, hidden);
  const at::Tensor q = of_heads(times_weight(x, LayerInput::wq, heads * shape.head_dim), heads);
  const at::Tensor k =
      of_heads(times_weight(x, LayerInput::wk, kv_heads * shape.head_dim), kv_heads);
  const at::Tensor v =
      of_heads(times_weight(x, LayerInput::wv, kv_heads * shape.value_head_dim), kv_heads);
  const at::Tensor scores = at::matmul(q, k.transpose(1, 2)) / std::sqrt(shape.head_dim);
  const at::Tensor o = at::matmul(at::softmax(scores + hidden_pairs, -1), v);
  at::Tensor out = times_weight(o.transpose(0, 1).flatten(1), LayerInput::wo, hidden);
  if (ffn > 0) {
    const at::Tensor y = out, gate = times_weight(y, LayerInput::gate, ffn);
    const at::Tensor up = times_weight(y, LayerInput::up, ffn);
    out = times_weight(at::silu(gate) * up, LayerInput::down, hidden);
  }
  out.backward(input(LayerInput::d_out, tokens, hidden).detach());
  Reference result;
  result.layer_out = values_of(out.detach());
  result.layer_dx = values_of(x.grad());
  for (const at::Tensor& weight : weights) {
    const std::vector<double> checks =
        values_of(weight.grad().mv(at::tensor(check_vector(weight.size(1)), at::kDouble)));
    result.weight_checks.insert(result.weight_checks.end(), checks.begin(), checks.end());
  }
  return result;
}

class Layer : public testing::Test {
 protected:
  // For small matrices, threads only wait for each other.
  Layer() { at::set_num_threads(1); }
};

TEST_F(Layer, both_references_are_what_automatic_differentiation_gives) {
  for (int64_t ffn : {0, 40}) {
    const AttentionShape shape = shape_of(ffn);
    for (Mask mask : {Mask::document_causal, Mask::document_full}) {
      const Batch batch{.document_lengths = {9, 1, 14}, .mask = mask};
      const Reference oracle = differentiated(batch, shape);
      for (const Reference& found :
           {compute_reference(batch, shape, kSeed, Passes::both, *make_reference_kernel()),
            open_torch().exact_attention(batch, shape, kSeed, Passes::both)}) {
        expect_near(found.layer_out, oracle.layer_out);
        expect_near(found.layer_dx, oracle.layer_dx);
        expect_near(found.weight_checks, oracle.weight_checks);
      }
    }
  }
}

TEST_F(Layer, runs_on_several_ranks_equal_one_device) {
  for (int64_t ffn : {0, 40}) {
    for (Passes passes : {Passes::forward, Passes::both}) {
      for (int32_t ranks : {1, 3, 64}) {  // 64: more than tokens, so some ranks have none
        const Problem problem = problem_of(ranks, shape_of(ffn));
        const Timeline timeline =
            execute_threads(problem, program_of(problem, passes),
                            {.passes = passes, .warmup = 0, .iterations = 1, .portions = true});
        EXPECT_TRUE(timeline.accuracy.ok()) << timeline.accuracy.max_error_gradient;
        if (ranks == 3) {  // sums of another order
          EXPECT_GT(timeline.accuracy.max_error_output, 0);
          EXPECT_EQ(timeline.accuracy.max_error_gradient > 0, passes == Passes::both);
        }
        const auto of_layer =
            std::ranges::count(timeline.events, Activity::layer, &Event::activity);
        EXPECT_EQ(of_layer, ranks * (passes == Passes::both ? 4 : 2));
        EXPECT_GT(timeline.portions.layer_seconds.front(), 0);
      }
    }
  }
}

TEST_F(Layer, has_attention_sinks_inside) {
  AttentionShape shape = shape_of(40);
  shape.attention_sinks = true;
  const Problem problem = problem_of(3, shape);
  const Timeline timeline =
      execute_threads(problem, program_of(problem, Passes::both), {.warmup = 0, .iterations = 1});
  EXPECT_TRUE(timeline.accuracy.ok()) << timeline.accuracy.max_error_gradient;
  const Reference with = open_torch().exact_attention(problem.batch, shape, kSeed, Passes::both);
  expect_near(with.layer_out,
              compute_reference(problem.batch, shape, kSeed, Passes::both, *make_reference_kernel())
                  .layer_out);
}

TEST_F(Layer, runs_in_other_dtypes_are_within_tolerance) {
  for (Dtype dtype : {Dtype::float32, Dtype::bfloat16}) {
    const Problem problem = problem_of(3, shape_of(40, dtype));
    const Timeline timeline = execute_threads(problem, program_of(problem), {});
    EXPECT_TRUE(timeline.accuracy.ok());
    EXPECT_GT(timeline.accuracy.plain_error_gradient, 0);
  }
}

TEST_F(Layer, its_planned_memory_is_that_of_its_program) {
  for (Dtype dtype : {Dtype::float64, Dtype::bfloat16}) {
    for (int64_t ffn : {0, 40}) {
      for (Passes passes : {Passes::forward, Passes::both}) {
        const Problem problem = problem_of(3, shape_of(ffn, dtype));
        const Plan plan = plan_of(problem);
        const Program program = compile(problem, plan, passes);
        for (int32_t rank : {1, 2}) {  // whose O is a sum
          const int64_t tokens = plan.token_sets.size_of(plan.home[rank]);
          EXPECT_EQ(planned_layer_bytes(problem.shape, tokens, passes),
                    layer_bytes(program.ranks[rank], problem.shape));
        }
      }
    }
  }
  EXPECT_EQ(planned_layer_bytes(without_layer(shape_of(40)), 17, Passes::both), 0);
}

// A rank whose gradients of weights are missing, or wrong in one element.
TEST_F(Layer, bad_G4_gradients_of_weights) {
  const Problem problem = problem_of(2, shape_of(40));
  const Program program = program_of(problem);
  const ExecuteOptions options{.warmup = 0, .iterations = 1};
  const Reference reference = compute_reference(problem.batch, problem.shape, options.seed,
                                                Passes::both, *make_reference_kernel());
  const auto accuracy_of = [&](const std::vector<double>& first,
                               const std::vector<double>& second) {
    Reports reports(program, options, reference);
    for (int32_t rank = 0; rank < 2; ++rank) {
      RankReport report;
      report.bytes_sent = report.messages = {0, 0};
      report.weight_checks = rank == 0 ? first : second;
      reports.add(report, rank);
    }
    return reports.timeline().accuracy;
  };
  const std::vector<double> none(reference.weight_checks.size());
  EXPECT_TRUE(accuracy_of(reference.weight_checks, none).ok());
  EXPECT_FALSE(accuracy_of(none, none).ok());
  std::vector<double> wrong = none;
  wrong[5] = 1e-8;
  EXPECT_FALSE(accuracy_of(reference.weight_checks, wrong).ok());
  wrong[5] = std::nan("");
  EXPECT_FALSE(accuracy_of(reference.weight_checks, wrong).ok());
}

}  // namespace
}  // namespace cpbench
