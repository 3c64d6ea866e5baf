// FlashAttention's variable-length kernels on the CPU, with their layouts and their treatment of
// masks, as a machine for the calls of flash_call.h.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "harness/execute_cuda/attention/cpu_machine_for_tests.h"
#include "harness/execute_cuda/attention/flash_call.h"

namespace cpbench {

class EmulatedFlash : public CpuMachine {
 public:
  static constexpr bool kReadsBeyond = false;

  explicit EmulatedFlash(bool places) : places_(places) {}
  int32_t placed() const { return placed_; }

  FlashOutput forward(const FlashForwardInput& in) {
    const int64_t width = in.q.heads * in.width;
    EXPECT_EQ(reinterpret_cast<uintptr_t>(in.out) % 16, 0u);
    out_.assign(in.q.rows * width, BFloat16(std::nanf("")));
    lse_.assign(in.q.rows * in.q.heads, std::nanf(""));
    for_each_row(in, in.k_used, [&](const Row& row) {
      const std::vector<double> p = row.scores;
      double total = 0, top = -kInfinity;
      for (double score : p) top = std::max(top, score);
      std::vector<double> sum(in.width);
      for (size_t j = 0; j < p.size(); ++j) {
        if (p[j] == -kInfinity) continue;
        total += std::exp(p[j] - top);
        for (int32_t d = 0; d < in.width; ++d) sum[d] += std::exp(p[j] - top) * row.v(j)[d];
      }
      BFloat16* o = &out_[row.q * width + row.head * in.width];
      for (int32_t d = 0; d < in.width; ++d) o[d] = BFloat16(total > 0 ? sum[d] / total : 0.0);
      lse_[row.head * in.q.rows + row.q] =
          total > 0 ? static_cast<float>(top + std::log(total)) : kInfinity;
    });
    if (!in.out || !places_) return {out_.data(), lse_.data()};
    ++placed_;
    std::ranges::copy(out_, in.out);
    return {in.out, lse_.data()};
  }

  FlashGradients backward(const FlashBackwardInput& in) {
    const int64_t q_width = in.q.heads * in.width, kv_width = in.k.heads * in.width;
    std::vector<double> dq(in.q.rows * q_width), dk(in.k.rows * kv_width), dv(dk.size());
    EXPECT_TRUE(rows_of({reinterpret_cast<std::byte*>(in.d_o.data), Dtype::bfloat16, in.d_o.heads,
                         in.width, in.d_o.row_stride})
                    .aligned);
    for_each_row(in, nullptr, [&](const Row& row) {
      const BFloat16* d_o = in.d_o.data + row.q * in.d_o.row_stride + row.head * in.width;
      const BFloat16* o = in.out.data + row.q * in.out.row_stride + row.head * in.width;
      const float lse = in.lse[row.head * in.q.rows + row.q];
      double row_sum = 0;
      for (int32_t d = 0; d < in.width; ++d) row_sum += static_cast<double>(d_o[d]) * o[d];
      for (size_t j = 0; j < row.scores.size(); ++j) {
        const double p = std::exp(row.scores[j] - lse);
        if (!(p > 0)) continue;
        double dp = 0;
        for (int32_t d = 0; d < in.width; ++d) dp += static_cast<double>(d_o[d]) * row.v(j)[d];
        const double ds = in.scale * p * (dp - row_sum);
        const int64_t key =
            (row.k_row + static_cast<int64_t>(j)) * kv_width + row.kv_head * in.width;
        for (int32_t d = 0; d < in.width; ++d) {
          dq[row.q * q_width + row.head * in.width + d] += ds * row.k(j)[d];
          dk[key + d] += ds * row.q_data[d];
          dv[key + d] += p * static_cast<double>(d_o[d]);
        }
      }
    });
    const auto narrow = [](const std::vector<double>& from, std::vector<BFloat16>& to) {
      to.clear();
      for (double x : from) to.push_back(BFloat16(x));
      return to.data();
    };
    return {narrow(dq, out_), narrow(dk, dk_), narrow(dv, dv_)};
  }

 private:
  static constexpr float kInfinity = std::numeric_limits<float>::infinity();

  struct Row {
    int64_t q = 0, k_row = 0;  // rows of the library's tensors
    int32_t head = 0, kv_head = 0;
    const BFloat16* q_data = nullptr;
    std::vector<double> scores;  // -infinity if masked
    FlashTensor k_tensor, v_tensor;
    int32_t width = 0;
    const BFloat16* k(size_t j) const { return at(k_tensor, j); }
    const BFloat16* v(size_t j) const { return at(v_tensor, j); }
    const BFloat16* at(const FlashTensor& t, size_t j) const {
      return t.data + (k_row + static_cast<int64_t>(j)) * t.row_stride + kv_head * width;
    }
  };

  // Visits the rows of each sequence up to max_q, as the library's grid does.
  template <typename Visit>
  static void for_each_row(const FlashInput& in, const int32_t* k_used, const Visit& visit) {
    ASSERT_GE(in.max_q, 2);
    ASSERT_EQ(in.q_starts[0], 0);
    ASSERT_EQ(in.q_starts[in.sequences], in.q.rows);
    int32_t left = in.window.left, right = in.window.right;
    if (left >= in.max_k) left = -1;
    if (right >= in.max_k) right = -1;
    if (left < 0 && right >= 0) left = in.max_k;
    if (left >= 0 && right < 0) right = in.max_k;
    for (int32_t b = 0; b < in.sequences; ++b) {
      const int64_t q_rows = in.q_starts[b + 1] - in.q_starts[b];
      const int64_t k_rows = k_used ? k_used[b] : in.k_starts[b + 1] - in.k_starts[b];
      ASSERT_GE(q_rows, 0);
      ASSERT_GE(k_rows, 0);
      ASSERT_LE(in.k_starts[b] + k_rows, in.k.rows);
      if (q_rows > 0 && k_rows > 0) {  // not a gap
        ASSERT_LE(q_rows, in.max_q);
        ASSERT_LE(k_rows, in.max_k);
      }
      for (int64_t i = 0; i < std::min<int64_t>(q_rows, in.max_q); ++i) {
        for (int32_t head = 0; head < in.q.heads; ++head) {
          Row row;
          row.q = in.q_starts[b] + i;
          row.k_row = in.k_starts[b];
          row.head = head;
          row.kv_head = head / (in.q.heads / in.k.heads);
          row.q_data = in.q.data + row.q * in.q.row_stride + head * in.width;
          row.k_tensor = in.k;
          row.v_tensor = in.v;
          row.width = in.width;
          for (int64_t j = 0; j < k_rows; ++j) {
            double score = 0;
            for (int32_t d = 0; d < in.width; ++d) {
              score += static_cast<double>(row.q_data[d]) * row.k(j)[d];
            }
            const int64_t diagonal = j - i - (k_rows - q_rows);
            const bool masked = left >= 0 && (diagonal < -left || diagonal > right);
            row.scores.push_back(masked ? -kInfinity : score * in.scale);
          }
          visit(row);
        }
      }
    }
  }

  bool places_;
  int32_t placed_ = 0;
  std::vector<BFloat16> out_, dk_, dv_;
  std::vector<float> lse_;
};

}  // namespace cpbench
