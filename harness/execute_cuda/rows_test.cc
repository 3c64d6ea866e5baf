// Each row operation equals its oracle on the CPU (row_ops.h, inputs.h).
#include "harness/execute_cuda/rows.h"

#include <cstring>

#include "harness/execute/sinks.h"
#include "harness/execute_cuda/gpu_test.h"
#include "harness/plan/names.h"

namespace cpbench {
namespace {

// Widths of K and Q, and of V and O: vectors of 16 bytes in all dtypes; in none; in some; and more
// than one access per lane.
const std::vector<std::array<int32_t, 2>> kWidths = {{128, 64}, {5, 3}, {4, 12}, {20, 560}};

// Heads of the source and the target, and the heads that are moved.
struct HeadCase {
  Heads source, target, moved;
};
const std::vector<HeadCase> kHeads = {
    {{0, 4}, {0, 4}, {0, 4}}, {{0, 1}, {0, 1}, {0, 1}}, {{2, 7}, {4, 7}, {5, 7}}};

using Runs = std::vector<RowRun>;
Runs single_rows() {
  Runs runs;
  for (int32_t i = 0; i < 40; ++i) runs.push_back({2 * i + 1, 3 * i + 2, 1});
  return runs;
}
const std::vector<Runs> kRuns = {
    {}, {{0, 0, 150}}, {{3, 17, 101}}, {{4, 90, 7}, {30, 3, 1}, {50, 20, 45}}, single_rows()};

RankProgram program_with(const RowOp& op, const Runs& runs) {
  RankProgram program;
  program.runs = {{7, 7, 7}};  // belongs to another operation
  program.runs.insert(program.runs.end(), runs.begin(), runs.end());
  program.row_ops = {op, op};
  program.row_ops[0].first_run = 0;
  program.row_ops[0].runs = 1;
  return program;
}

class RowsTest : public GpuTest {
 protected:
  // Runs an operation on both sides. Returns the bytes of the GPU's target.
  std::vector<std::byte> run(RowOp op, const Runs& runs, Tensor tensor, const Twin& source,
                             const Twin& target) {
    op.first_run = 1;
    op.runs = static_cast<int32_t>(runs.size());
    const DeviceRuns device_runs(program_with(op, runs));
    launch_row_op(op, device_runs, tensor, source.gpu, target.gpu, stream_);
    check_cuda(cudaStreamSynchronize(stream_), "cudaStreamSynchronize");
    run_row_op(op, runs, tensor, source.host, target.host);
    return target.download();
  }

  // Calls compare(target, bytes of the GPU) for all shapes of an operation.
  template <typename Compare>
  void all_shapes(RowMode mode, Tensor tensor, Dtype dtype, ElementClass from, ElementClass to,
                  const Compare& compare) {
    for (const auto& [width, value_width] : kWidths) {
      const AttentionShape shape{.query_heads = 8,
                                 .kv_heads = 8,
                                 .head_dim = width,
                                 .value_head_dim = value_width,
                                 .dtype = dtype};
      for (const HeadCase& heads : kHeads) {
        const Twin source({.tensor = tensor, .elements = from, .heads = heads.source, .rows = 151},
                          shape, 3);
        for (const Runs& runs : kRuns) {
          SCOPED_TRACE(std::string(name_of(tensor)) + " " + name_of(dtype) + ", widths " +
                       std::to_string(width) + " " + std::to_string(value_width) + ", " +
                       std::to_string(heads.moved.size()) + " heads, " +
                       std::to_string(runs.size()) + " runs");
          const Twin target({.tensor = tensor, .elements = to, .heads = heads.target, .rows = 153},
                            shape, 4);
          const RowOp op{.mode = mode, .heads = heads.moved};
          compare(target, run(op, runs, tensor, source, target));
          if (HasFailure()) return;
        }
      }
    }
  }
};

const auto kSame = [](const Twin& target, const std::vector<std::byte>& gpu) {
  EXPECT_EQ(std::memcmp(target.host.data, gpu.data(), gpu.size()), 0);
};

constexpr Dtype kDtypes[] = {Dtype::float64, Dtype::float32, Dtype::bfloat16};
constexpr ElementClass kClasses[] = {ElementClass::model, ElementClass::accumulation};

TEST_F(RowsTest, store_copies_and_converts_bit_for_bit) {
  for (Dtype dtype : kDtypes) {
    for (Tensor tensor : {Tensor::q, Tensor::kv, Tensor::o, Tensor::d_o, Tensor::dkv}) {
      all_shapes(RowMode::store, tensor, dtype, ElementClass::model, ElementClass::model, kSame);
    }
    for (Tensor tensor : {Tensor::o, Tensor::dq, Tensor::dkv}) {
      all_shapes(RowMode::store, tensor, dtype, ElementClass::model, ElementClass::accumulation,
                 kSame);
      all_shapes(RowMode::store, tensor, dtype, ElementClass::accumulation, ElementClass::model,
                 kSame);
    }
  }
}

TEST_F(RowsTest, gradients_add_up_bit_for_bit) {
  for (Dtype dtype : kDtypes) {
    for (Tensor tensor : {Tensor::dq, Tensor::dkv}) {
      for (ElementClass from : kClasses) {
        for (ElementClass to : kClasses) {
          all_shapes(RowMode::accumulate, tensor, dtype, from, to, kSame);
        }
      }
    }
  }
}

TEST_F(RowsTest, clear_writes_zeros_and_no_key_seen) {
  for (Dtype dtype : kDtypes) {
    for (Tensor tensor : {Tensor::o, Tensor::dq, Tensor::dkv}) {
      all_shapes(RowMode::clear, tensor, dtype, ElementClass::model, ElementClass::accumulation,
                 kSame);
    }
  }
}

// Weights are computed from exponentials with errors up to 2 units in the last place, and the
// result is a sum of two products with elements below 1.8.
TEST_F(RowsTest, partial_outputs_merge_to_the_rounding) {
  for (Dtype dtype : kDtypes) {
    const double tolerance = dtype == Dtype::float64 ? 2e-15 : 1e-6;
    for (ElementClass from : kClasses) {
      all_shapes(RowMode::accumulate, Tensor::o, dtype, from, ElementClass::accumulation,
                 [&](const Twin& target, const std::vector<std::byte>& gpu) {
                   for (int32_t part : {0, 1}) {
                     const double d = distance(target.host, part, gpu.data(), target.host.data);
                     EXPECT_LE(d, tolerance) << "part " << part;
                   }
                 });
    }
  }
}

TEST_F(RowsTest, merging_into_a_cleared_row_takes_the_partial_as_it_is) {
  const AttentionShape shape{.query_heads = 2, .kv_heads = 2, .dtype = Dtype::bfloat16};
  const Buffer layout{
      .tensor = Tensor::o, .elements = ElementClass::accumulation, .heads = {0, 2}, .rows = 9};
  const Twin source(layout, shape, 1), target(layout, shape, 2);
  run({.mode = RowMode::clear, .heads = {0, 2}}, {{0, 0, 9}}, Tensor::o, target, target);
  const auto merged =
      run({.mode = RowMode::accumulate, .heads = {0, 2}}, {{0, 0, 9}}, Tensor::o, source, target);
  const auto* lse = reinterpret_cast<const float*>(merged.data());
  const auto* o = reinterpret_cast<const float*>(merged.data() + source.host.parts.part[1].offset);
  const Matrix partial_lse = matrix_of(source.host, 0, {0, 2});
  const Matrix partial_o = matrix_of(source.host, 1, {0, 2});
  for (int64_t i = 0; i < 18; ++i) {
    const float expected = partial_lse.at<float>(0, 0)[i];
    EXPECT_EQ(lse[i], expected);
    for (int64_t d = 0; d < 64; ++d) {
      EXPECT_EQ(o[i * 64 + d], expected < -1e30 ? 0 : partial_o.at<float>(0, 0)[i * 64 + d]);
    }
  }
}

TEST_F(RowsTest, row_sums_are_those_of_the_cpu_up_to_the_order) {
  for (Dtype dtype : kDtypes) {
    for (const auto& [width, value_width] : kWidths) {
      for (const auto& [heads, elements] :
           std::vector<std::pair<Heads, ElementClass>>{{{0, 4}, ElementClass::accumulation},
                                                       {{0, 4}, ElementClass::model},
                                                       {{3, 4}, ElementClass::accumulation}}) {
        const AttentionShape shape{.query_heads = 4,
                                   .kv_heads = 4,
                                   .head_dim = width,
                                   .value_head_dim = value_width,
                                   .dtype = dtype};
        const Twin o({.tensor = Tensor::o, .elements = elements, .heads = heads, .rows = 77}, shape,
                     5);
        const Twin d_o({.tensor = Tensor::d_o, .heads = heads, .rows = 77}, shape, 6);
        launch_row_sums(o.gpu, d_o.gpu, 77, stream_);
        check_cuda(cudaStreamSynchronize(stream_), "cudaStreamSynchronize");
        run_row_sums(o.host, d_o.host, 77);
        const auto gpu = d_o.download();
        EXPECT_EQ(distance(d_o.host, 0, gpu.data(), d_o.host.data), 0);
        // All terms are below 3, and the CPU adds them one by one.
        const double epsilon = dtype == Dtype::float64 ? 2.3e-16 : 1.2e-7;
        EXPECT_LE(distance(d_o.host, 1, gpu.data(), d_o.host.data), 3 * epsilon * value_width);
        EXPECT_EQ(distance(d_o.host, 2, gpu.data(), d_o.host.data), 0);
      }
    }
  }
}

// 300 rows are two blocks of the gradient's sums.
TEST_F(RowsTest, sinks_and_their_gradient_are_those_of_the_cpu_up_to_rounding) {
  for (Dtype dtype : kDtypes) {
    const double epsilon = dtype == Dtype::float64 ? 2.3e-16 : 1.2e-7;
    for (const auto& [width, value_width] : kWidths) {
      const AttentionShape shape{.query_heads = 4,
                                 .kv_heads = 4,
                                 .head_dim = width,
                                 .value_head_dim = value_width,
                                 .dtype = dtype,
                                 .attention_sinks = true};
      const Twin o({.tensor = Tensor::o,
                    .elements = ElementClass::accumulation,
                    .heads = {0, 4},
                    .rows = 300},
                   shape, 5);
      const std::vector<double> logits = sink_logits(shape, 9);
      const DeviceArray<double> on_gpu{std::span<const double>(logits)};
      launch_sinks(on_gpu.data(), o.gpu, 300, stream_);
      check_cuda(cudaStreamSynchronize(stream_), "cudaStreamSynchronize");
      run_sinks(logits, o.host, 300);
      const auto merged = o.download();
      for (int32_t part : {0, 1}) {
        EXPECT_LE(distance(o.host, part, merged.data(), o.host.data), 16 * epsilon);
      }
      const Twin d_o({.tensor = Tensor::d_o, .heads = {0, 4}, .rows = 300}, shape, 6);
      const DeviceArray<double> sums(sink_blocks(300) * 4);
      ASSERT_EQ(sums.size(), 8u);
      launch_sink_sums(on_gpu.data(), d_o.gpu, 300, sums.data(), stream_);
      check_cuda(cudaStreamSynchronize(stream_), "cudaStreamSynchronize");
      std::vector<double> found(sums.size()), expected(4);
      check_cuda(cudaMemcpy(found.data(), sums.data(), found.size() * sizeof(double),
                            cudaMemcpyDeviceToHost),
                 "cudaMemcpy");
      run_sink_gradient(logits, d_o.host, 300, expected);
      for (size_t head = 0; head < 4; ++head) {
        EXPECT_NEAR(found[head] + found[4 + head], expected[head], 1e-9) << head;
      }
    }
  }
}

TEST_F(RowsTest, inputs_are_those_of_the_cpu_bit_for_bit) {
  for (Dtype dtype : kDtypes) {
    for (int32_t width : {1, 3, 64, 200}) {
      const AttentionShape shape{
          .query_heads = 3, .kv_heads = 3, .head_dim = width, .value_head_dim = 8, .dtype = dtype};
      for (Input input : {Input::q, Input::d_o}) {
        const Twin twin({.tensor = Tensor::q, .heads = {0, 3}, .rows = 50}, shape, 7);
        const Range tokens{100'000'000, 100'000'041};
        launch_fill_input(matrix_of(twin.gpu, 0, {0, 3}), input, tokens, 5, 42, stream_);
        check_cuda(cudaStreamSynchronize(stream_), "cudaStreamSynchronize");
        fill_input(matrix_of(twin.host, 0, {0, 3}), input, tokens, 5, 42);
        kSame(twin, twin.download());
      }
    }
  }
}

}  // namespace
}  // namespace cpbench
