// Random bfloat16 calls with their matrices, for tests that compare kernels with the reference
// kernel.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "harness/execute/element.h"
#include "harness/execute/kernel.h"
#include "harness/execute_cuda/attention/random_segments_for_tests.h"
#include "harness/plan/plan_bytes.h"

namespace cpbench {

// A matrix with its memory. Every bit is one at first, which is NaN in every element type.
struct OwnedMatrix {
  std::shared_ptr<std::vector<uint16_t>> memory;
  Matrix matrix;
};

class RandomCall {
 public:
  explicit RandomCall(uint32_t seed, int32_t head_dim = 16, int32_t most_rows = 160)
      : random_(seed) {
    static constexpr Heads kHeads[] = {{0, 8}, {0, 1}, {3, 4}, {4, 8}, {2, 7}, {1, 8}};
    heads = kHeads[pick(0, 5)];
    shape = {.query_heads = 8,
             .kv_heads = pick(0, 3) == 0 ? 8 : 2,
             .head_dim = head_dim,
             .value_head_dim = head_dim,
             .dtype = Dtype::bfloat16};
    rows = {.q_rows = pick(1, most_rows), .kv_rows = pick(1, most_rows)};
    segments = random_segments(random_, rows);
    const int32_t q_heads = heads.size(), kv_heads = kv_heads_of(heads, shape).size();
    const auto model = [&](int32_t count, int32_t heads) {
      return filled(make(count, heads, shape.head_dim, Dtype::bfloat16, false));
    };
    q = model(rows.q_rows, q_heads);
    k = model(rows.kv_rows, kv_heads);
    v = model(rows.kv_rows, kv_heads);
    d_o = filled(make(rows.q_rows, q_heads, shape.head_dim, Dtype::bfloat16, pick(0, 2) == 0));
    lse = make(rows.q_rows, q_heads, 1, Dtype::float32, pick(0, 3) == 0);
    row_sums = make(rows.q_rows, q_heads, 1, Dtype::float32, false);
  }

  int32_t pick(int32_t low, int32_t high) {
    return low + static_cast<int32_t>(random_() % static_cast<uint32_t>(high - low + 1));
  }

  // Row strides may be larger than the heads require. If `off`, the matrix is not aligned to 16
  // bytes.
  OwnedMatrix make(int32_t count, int32_t heads, int64_t width, Dtype dtype, bool off) {
    OwnedMatrix m;
    const int64_t stride = heads * width + (pick(0, 2) == 0 ? 8 * pick(1, 3) : 0);
    const int64_t bytes = count * stride * bytes_of(dtype);
    m.memory = std::make_shared<std::vector<uint16_t>>(bytes / 2 + 16, uint16_t{0xffff});
    auto* data = reinterpret_cast<std::byte*>(m.memory->data());
    data += (16 - reinterpret_cast<uintptr_t>(data) % 16) % 16 + (off ? 8 : 0);
    m.matrix = {data, dtype, heads, width, stride};
    return m;
  }
  OwnedMatrix o(Dtype dtype) {
    return make(rows.q_rows, heads.size(), shape.head_dim, dtype, pick(0, 3) == 0);
  }
  // Gradients for the rows of another matrix. All elements are 0.25.
  OwnedMatrix gradient(const OwnedMatrix& like, int32_t count) {
    OwnedMatrix m = make(count, like.matrix.heads, shape.head_dim, Dtype::float32, false);
    for_each(m.matrix, count, [](float& value) { value = 0.25f; });
    return m;
  }

  template <typename Change>
  static void for_each(const Matrix& m, int32_t count, const Change& change) {
    for (int32_t row = 0; row < count; ++row) {
      for (int32_t i = 0; i < m.heads * m.width; ++i) change(m.at<float>(row, 0)[i]);
    }
  }

  ForwardCall forward(const OwnedMatrix& o, const OwnedMatrix& l) const {
    return {shape, heads, segments, q.matrix, k.matrix, v.matrix, o.matrix, l.matrix};
  }
  BackwardCall backward(const OwnedMatrix& dq, const OwnedMatrix& dk, const OwnedMatrix& dv) const {
    return {shape,      heads,      segments,        q.matrix,  k.matrix,  v.matrix,
            d_o.matrix, lse.matrix, row_sums.matrix, dq.matrix, dk.matrix, dv.matrix};
  }

  // Sets log-sum-exp and row sums as if each row saw these keys and others.
  void fill_side_data() {
    ForwardCall call = forward(o(Dtype::float32), lse);
    const OwnedMatrix out = make(rows.q_rows, heads.size(), shape.head_dim, Dtype::float32, false);
    call.o = out.matrix;
    std::vector<Segment> aligned = segments;
    for (Segment& s : aligned) s.out_row = s.q_row;
    call.segments = aligned;
    make_reference_kernel()->forward(call);
    std::normal_distribution<float> normal;
    for_each(lse.matrix, rows.q_rows, [&](float& value) {
      value = std::isfinite(value) ? value + std::abs(normal(random_)) : 1.0f;
    });
    for_each(row_sums.matrix, rows.q_rows, [&](float& value) { value = normal(random_); });
  }

  AttentionShape shape;
  Heads heads;
  RandomRows rows;
  std::vector<Segment> segments;
  OwnedMatrix q, k, v, d_o, lse, row_sums;

 private:
  OwnedMatrix filled(OwnedMatrix m) {
    std::normal_distribution<float> normal;
    auto* end = reinterpret_cast<BFloat16*>(m.memory->data() + m.memory->size());
    for (auto* at = m.matrix.at<BFloat16>(0, 0); at != end; ++at) *at = BFloat16(normal(random_));
    return m;
  }

  std::mt19937 random_;
};

inline float value_at(const Matrix& m, int64_t row, int32_t i) {
  return m.dtype == Dtype::float32 ? m.at<float>(row, 0)[i]
                                   : static_cast<float>(m.at<BFloat16>(row, 0)[i]);
}

// Empty if the matrices are close. Elements that were not written are NaN in both. The tolerance is
// relative to the largest value.
inline std::string difference(const Matrix& found, const Matrix& expected, int32_t rows,
                              float tolerance) {
  float scale = 1;
  for (int32_t row = 0; row < rows; ++row) {
    for (int32_t i = 0; i < expected.heads * expected.width; ++i) {
      const float value = value_at(expected, row, i);
      if (std::isfinite(value)) scale = std::max(scale, std::abs(value));
    }
  }
  for (int32_t row = 0; row < rows; ++row) {
    for (int32_t i = 0; i < expected.heads * expected.width; ++i) {
      const float a = value_at(found, row, i), b = value_at(expected, row, i);
      if (a == b || (std::isnan(a) && std::isnan(b))) continue;
      if (std::abs(a - b) <= tolerance * scale) continue;
      return "row " + std::to_string(row) + " element " + std::to_string(i) + ": " +
             std::to_string(a) + " instead of " + std::to_string(b);
    }
  }
  return "";
}

// Runs a call (steps.h) on its machine. Its scratch memory is NaN at first.
template <typename Call, typename Machine>
void run_call(const Call& call, Machine& machine) {
  constexpr int64_t kAlignment = 256;
  std::vector<std::byte> scratch(call.scratch_bytes() + kAlignment, std::byte{0xff});
  void* base = scratch.data();
  size_t space = scratch.size();
  call.run(machine,
           static_cast<std::byte*>(std::align(kAlignment, call.scratch_bytes(), base, space)));
}

inline constexpr uint32_t kRandomCalls = 150;

// Compares random calls with the reference kernel. make_machine(random) returns the machine for one
// call, and look(machine) is called after it.
template <typename Call, typename MakeMachine, typename Look>
void expect_forward_equals_reference(const MakeMachine& make_machine, const Look& look) {
  for (uint32_t seed = 0; seed < kRandomCalls; ++seed) {
    SCOPED_TRACE(seed);
    RandomCall random(seed);
    const Dtype dtype = random.pick(0, 1) == 0 ? Dtype::float32 : Dtype::bfloat16;
    const OwnedMatrix expected = random.o(Dtype::float32), found = random.o(dtype);
    const int32_t rows = random.rows.q_rows;
    const OwnedMatrix expected_lse =
        random.make(rows, random.heads.size(), 1, Dtype::float32, false);
    make_reference_kernel()->forward(random.forward(expected, expected_lse));
    auto machine = make_machine(random);
    run_call(Call(random.forward(found, random.lse)), machine);
    ASSERT_EQ(difference(found.matrix, expected.matrix, rows, 0x1p-8f), "") << "o";
    ASSERT_EQ(difference(random.lse.matrix, expected_lse.matrix, rows, 1e-5f), "") << "lse";
    ASSERT_FALSE(testing::Test::HasFailure());
    look(machine);
  }
}

template <typename Call, typename MakeMachine>
void expect_backward_equals_reference(const MakeMachine& make_machine) {
  for (uint32_t seed = 0; seed < kRandomCalls; ++seed) {
    SCOPED_TRACE(seed);
    RandomCall random(seed);
    random.fill_side_data();
    const int32_t q_rows = random.rows.q_rows, kv_rows = random.rows.kv_rows;
    const auto gradients = [&] {
      return std::array{random.gradient(random.q, q_rows), random.gradient(random.k, kv_rows),
                        random.gradient(random.v, kv_rows)};
    };
    const auto expected = gradients(), found = gradients();
    make_reference_kernel()->backward(random.backward(expected[0], expected[1], expected[2]));
    auto machine = make_machine();
    run_call(Call(random.backward(found[0], found[1], found[2])), machine);
    for (size_t i = 0; i < found.size(); ++i) {
      ASSERT_EQ(difference(found[i].matrix, expected[i].matrix, i == 0 ? q_rows : kv_rows, 0x1p-7f),
                "")
          << std::array{"dq", "dk", "dv"}[i];
    }
    ASSERT_FALSE(testing::Test::HasFailure());
  }
}

}  // namespace cpbench
