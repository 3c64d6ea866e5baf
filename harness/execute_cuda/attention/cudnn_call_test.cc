// Calls on cuDNN equal the reference kernel. All steps are those that run on a GPU; only the graphs
// are emulated, with their maxima, lengths, ragged offsets and diagonal bounds.
#include "harness/execute_cuda/attention/cudnn_call.h"

#include <set>

#include "harness/execute_cuda/attention/cpu_machine_for_tests.h"
#include "harness/execute_cuda/attention/random_call_for_tests.h"

namespace cpbench {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

double scale_of(const CudnnShape& shape) { return 1 / std::sqrt(shape.width); }

class EmulatedCudnn : public CpuMachine {
 public:
  void forward(const CudnnForwardInput& in) {
    EXPECT_FALSE(in.shape.backward);
    for_each_row(in, [&](const Row& row) {
      double total = 0, top = -kInfinity;
      for (double score : row.scores) top = std::max(top, score);
      std::vector<double> sum(in.shape.value_width);
      for (size_t j = 0; j < row.scores.size(); ++j) {
        const double p = std::exp(row.scores[j] - top);
        total += p;
        for (int32_t d = 0; d < in.shape.value_width; ++d) sum[d] += p * row.v[j][d];
      }
      ASSERT_GT(total, 0);
      auto* o = at<BFloat16>(in.o, in.shape.o_stride, row, row.head, in.shape.value_width);
      for (int32_t d = 0; d < in.shape.value_width; ++d) o[d] = BFloat16(sum[d] / total);
      *at<float>(in.stats, in.shape.stats_stride, row, row.head, 1) =
          static_cast<float>(top + std::log(total));
    });
  }

  void backward(const CudnnBackwardInput& in) {
    const CudnnShape& shape = in.shape;
    EXPECT_TRUE(shape.backward);
    // Accumulators of the size that the bounds give.
    std::vector<double> dq(shape.total_q * shape.dq_stride), dk(shape.total_kv * shape.dk_stride),
        dv(shape.total_kv * shape.dv_stride);
    std::set<int64_t> written;
    for_each_row(in, [&](const Row& row) {
      ASSERT_LT(row.q_start + row.i, shape.total_q);
      ASSERT_LT(row.k_start + row.kv_rows, shape.total_kv + 1);
      const auto* d_o = at<BFloat16>(in.d_o, shape.d_o_stride, row, row.head, shape.value_width);
      const auto* o = at<BFloat16>(in.o, shape.o_stride, row, row.head, shape.value_width);
      const float lse = *at<float>(in.stats, shape.stats_stride, row, row.head, 1);
      double row_sum = 0;
      for (int32_t d = 0; d < shape.value_width; ++d) row_sum += static_cast<double>(d_o[d]) * o[d];
      const int64_t dq_at =
          in.dq.offsets[row.piece] + row.i * shape.dq_stride + row.head * shape.width;
      ASSERT_TRUE(written.insert(dq_at).second);
      for (size_t j = 0; j < row.scores.size(); ++j) {
        const double p = std::exp(row.scores[j] - lse);
        double dp = 0;
        for (int32_t d = 0; d < shape.value_width; ++d) {
          dp += static_cast<double>(d_o[d]) * row.v[j][d];
        }
        const double ds = scale_of(shape) * p * (dp - row_sum);
        const auto key = static_cast<int64_t>(j);
        const int64_t dk_at =
            in.dk.offsets[row.piece] + key * shape.dk_stride + row.kv_head * shape.width;
        const int64_t dv_at =
            in.dv.offsets[row.piece] + key * shape.dv_stride + row.kv_head * shape.value_width;
        for (int32_t d = 0; d < shape.width; ++d) {
          dq.at(dq_at + d) += ds * row.k[j][d];
          dk.at(dk_at + d) += ds * row.q[d];
        }
        for (int32_t d = 0; d < shape.value_width; ++d) {
          dv.at(dv_at + d) += p * static_cast<double>(d_o[d]);
        }
      }
    });
    // Only the rows of the pieces are written.
    for (int32_t b = 0; b < shape.batch; ++b) {
      store(in.dq, b, in.q_rows[b], shape.dq_stride, dq);
      store(in.dk, b, in.kv_rows[b], shape.dk_stride, dk);
      store(in.dv, b, in.kv_rows[b], shape.dv_stride, dv);
    }
  }

 private:
  struct Row {
    int32_t piece = 0;
    int64_t i = 0, kv_rows = 0;
    int64_t q_start = 0, k_start = 0;  // rows
    int32_t head = 0, kv_head = 0;
    const BFloat16* q = nullptr;
    std::vector<const BFloat16*> k, v;  // of all keys, visible or not
    std::vector<double> scores;         // -infinity where masked
  };

  template <typename T>
  static T* at(const CudnnTensor& tensor, int64_t stride, const Row& row, int32_t head,
               int32_t width) {
    return static_cast<T*>(tensor.data) + tensor.offsets[row.piece] + row.i * stride + head * width;
  }

  static void store(const CudnnTensor& tensor, int32_t piece, int64_t rows, int64_t stride,
                    const std::vector<double>& from) {
    for (int64_t i = 0; i < rows * stride; ++i) {
      const int64_t at = tensor.offsets[piece] + i;
      static_cast<BFloat16*>(tensor.data)[at] = BFloat16(from.at(at));
    }
  }

  template <typename Visit>
  static void for_each_row(const CudnnForwardInput& in, const Visit& visit) {
    const CudnnShape& shape = in.shape;
    for (const CudnnTensor* tensor : {&in.q, &in.k, &in.v, &in.o, &in.stats}) {
      ASSERT_EQ(reinterpret_cast<uintptr_t>(tensor->data) % 16, 0u);
    }
    for (int32_t b = 0; b < shape.batch; ++b) {
      ASSERT_LE(in.q_rows[b], shape.max_q);
      ASSERT_LE(in.kv_rows[b], shape.max_kv);
      for (int64_t i = 0; i < in.q_rows[b]; ++i) {
        for (int32_t head = 0; head < shape.q_heads; ++head) {
          Row row;
          row.piece = b;
          row.i = i;
          row.kv_rows = in.kv_rows[b];
          row.q_start = in.q.offsets[b] / shape.q_stride;
          row.k_start = in.k.offsets[b] / shape.k_stride;
          row.head = head;
          row.kv_head = head / (shape.q_heads / shape.kv_heads);
          row.q = at<BFloat16>(in.q, shape.q_stride, row, head, shape.width);
          for (int64_t j = 0; j < row.kv_rows; ++j) {
            Row key = row;
            key.i = j;
            row.k.push_back(at<BFloat16>(in.k, shape.k_stride, key, row.kv_head, shape.width));
            row.v.push_back(
                at<BFloat16>(in.v, shape.v_stride, key, row.kv_head, shape.value_width));
            double score = 0;
            for (int32_t d = 0; d < shape.width; ++d) {
              score += static_cast<double>(row.q[d]) * row.k.back()[d];
            }
            const int64_t diagonal = j - i - (row.kv_rows - in.q_rows[b]);
            const bool masked = (shape.window.left >= 0 && diagonal < -shape.window.left) ||
                                (shape.window.right >= 0 && diagonal > shape.window.right);
            row.scores.push_back(masked ? -kInfinity : score * scale_of(shape));
          }
          visit(row);
        }
      }
    }
  }
};

TEST(Buckets, are_at_most_a_quarter_more) {
  for (int64_t value = 1; value < 5000; ++value) {
    EXPECT_GE(bucket_of(value), value);
    EXPECT_LE(bucket_of(value), value + value / 4);
    EXPECT_EQ(bucket_of(bucket_of(value)), bucket_of(value));
  }
  EXPECT_EQ(bucket_of(131072), 131072);
}

TEST(CudnnCall, forward_equals_the_reference) {
  expect_forward_equals_reference<CudnnForwardCall<EmulatedCudnn>>(
      [](RandomCall&) { return EmulatedCudnn(); }, [](const EmulatedCudnn&) {});
}

TEST(CudnnCall, backward_equals_the_reference) {
  expect_backward_equals_reference<CudnnBackwardCall<EmulatedCudnn>>(
      [] { return EmulatedCudnn(); });
}

// A pack of hundreds of short documents and one of 128K tokens must need few graph shapes, and
// bounds that do not multiply the longest length by the number of documents.
TEST(CudnnLayout, stays_bounded_for_ragged_packs) {
  std::vector<Segment> segments;
  int32_t row = 0;
  for (int32_t i = 0; i < 400; ++i) {
    const int32_t rows = i == 200 ? 131072 : 64 + i;
    segments.push_back({.q_row = row,
                        .q_rows = rows,
                        .kv_row = row,
                        .kv_rows = rows,
                        .out_row = row,
                        .dkv_row = row,
                        .mask = SegmentMask::causal});
    row += rows;
  }
  const CallPieces pieces = pieces_of(segments, 32);
  EXPECT_LE(pieces.groups.size(), 3u);
  for (const PieceGroup& group : pieces.groups) {
    const CudnnLayout layout = cudnn_layout(group);
    EXPECT_LE(layout.total_q, bucket_of(row));
    EXPECT_LE(layout.total_kv, bucket_of(row));
    EXPECT_LE(int64_t{layout.batch} * layout.max_q, 8 * int64_t{row});
  }
}

TEST(CudnnLayout, gradients_of_keys_apart_lie_as_the_keys) {
  const PieceGroup apart{kCausal, {{0, 10, 0, 10, 0, 0}, {10, 10, 20, 10, 10, 20}}};
  EXPECT_EQ(cudnn_layout(apart).dkv_starts, (std::vector<int32_t>{0, 20, 30}));
  const PieceGroup shared{kCausal, {{0, 10, 0, 10, 0, 0}, {10, 10, 0, 20, 10, 0}}};
  EXPECT_EQ(cudnn_layout(shared).dkv_starts, (std::vector<int32_t>{0, 10, 30}));
  EXPECT_EQ(cudnn_layout(shared).kv_starts, (std::vector<int32_t>{0, 0, 20}));
}

TEST(RaggedOffsets, are_of_64_bits) {
  EXPECT_EQ(ragged_offsets({0, 1 << 20}, 1 << 13).back(), int64_t{1} << 33);
}

}  // namespace
}  // namespace cpbench
