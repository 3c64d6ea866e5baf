// Attention by its definition, one (query, head) at a time in float64.
#include <algorithm>
#include <cmath>
#include <limits>

#include "harness/execute/element.h"
#include "harness/execute/kernel.h"
#include "harness/plan/plan_bytes.h"

namespace cpbench {
namespace {

template <typename T>
double dot(const T* a, const T* b, int64_t n) {
  double sum = 0;
  for (int64_t i = 0; i < n; ++i) sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return sum;
}

// What both directions need: which KV head a query head reads, and the scale of scores.
struct HeadMap {
  HeadMap(const AttentionShape& shape, Heads heads)
      : group(shape.query_heads / shape.kv_heads),
        first(heads.begin),
        first_kv(kv_heads_of(heads, shape).begin),
        scale(1 / std::sqrt(shape.head_dim)) {}
  int64_t kv(int64_t head) const { return (first + head) / group - first_kv; }
  int32_t group, first, first_kv;
  double scale;
};

template <typename T, typename O, typename A>
void forward_as(const ForwardCall& c) {
  const HeadMap map(c.shape, c.heads);
  std::vector<double> scores, sum(c.v.width);
  for (const Segment& s : c.segments) {
    for (int64_t i = 0; i < s.q_rows; ++i) {
      const Range keys = visible_rows(s, i);
      scores.resize(keys.size());
      for (int64_t h = 0; h < c.heads.size(); ++h) {
        double top = -std::numeric_limits<double>::infinity();
        for (int64_t j = keys.begin; j < keys.end; ++j) {
          double& score = scores[j - keys.begin];
          score = map.scale *
                  dot(c.q.at<T>(s.q_row + i, h), c.k.at<T>(s.kv_row + j, map.kv(h)), c.q.width);
          top = std::max(top, score);
        }
        double total = 0;
        std::ranges::fill(sum, 0);
        for (int64_t j = keys.begin; j < keys.end; ++j) {
          const double p = std::exp(scores[j - keys.begin] - top);
          const T* v = c.v.at<T>(s.kv_row + j, map.kv(h));
          total += p;
          for (int64_t d = 0; d < c.v.width; ++d) sum[d] += p * static_cast<double>(v[d]);
        }
        O* o = c.o.at<O>(s.out_row + i, h);
        for (int64_t d = 0; d < c.v.width; ++d) {
          o[d] = static_cast<O>(total > 0 ? sum[d] / total : 0.0);
        }
        *c.lse.at<A>(s.out_row + i, h) = total > 0 ? top + std::log(total) : top;
      }
    }
  }
}

template <typename T, typename A>
void backward_as(const BackwardCall& c) {
  const HeadMap map(c.shape, c.heads);
  for (const Segment& s : c.segments) {
    for (int64_t i = 0; i < s.q_rows; ++i) {
      const Range keys = visible_rows(s, i);
      for (int64_t h = 0; h < c.heads.size(); ++h) {
        const T* q = c.q.at<T>(s.q_row + i, h);
        const T* d_o = c.d_o.at<T>(s.q_row + i, h);
        const double lse = *c.lse.at<A>(s.q_row + i, h);
        const double row_sum = *c.row_sums.at<A>(s.q_row + i, h);
        A* dq = c.dq.at<A>(s.out_row + i, h);
        for (int64_t j = keys.begin; j < keys.end; ++j) {
          const T* k = c.k.at<T>(s.kv_row + j, map.kv(h));
          const T* v = c.v.at<T>(s.kv_row + j, map.kv(h));
          A* dk = c.dk.at<A>(s.dkv_row + j, map.kv(h));
          A* dv = c.dv.at<A>(s.dkv_row + j, map.kv(h));
          const double p = std::exp(map.scale * dot(q, k, c.q.width) - lse);
          const double ds = map.scale * p * (dot(d_o, v, c.v.width) - row_sum);
          for (int64_t d = 0; d < c.v.width; ++d) dv[d] += p * static_cast<double>(d_o[d]);
          for (int64_t d = 0; d < c.q.width; ++d) {
            dq[d] += ds * static_cast<double>(k[d]);
            dk[d] += ds * static_cast<double>(q[d]);
          }
        }
      }
    }
  }
}

class ReferenceKernel : public Kernel {
 public:
  void forward(const ForwardCall& call) const override {
    with_element(call.q.dtype, [&](auto model) {
      with_element(call.o.dtype, [&](auto out) {
        using T = decltype(model);
        using O = decltype(out);
        with_element(call.lse.dtype, [&](auto sum) {
          if constexpr (!std::is_same_v<decltype(sum), BFloat16>) {
            forward_as<T, O, decltype(sum)>(call);
          }
        });
      });
    });
  }
  void backward(const BackwardCall& call) const override {
    with_element(call.q.dtype, [&](auto model) {
      with_element(call.dq.dtype, [&](auto sum) {
        if constexpr (!std::is_same_v<decltype(sum), BFloat16>) {
          backward_as<decltype(model), decltype(sum)>(call);
        }
      });
    });
  }
};

}  // namespace

std::unique_ptr<Kernel> make_reference_kernel() { return std::make_unique<ReferenceKernel>(); }

}  // namespace cpbench
