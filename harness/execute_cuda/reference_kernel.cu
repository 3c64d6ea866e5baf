// Binds calls to the bodies of reference_bodies.h.
#include <algorithm>
#include <cmath>
#include <set>
#include <span>
#include <stdexcept>
#include <vector>

#include "harness/execute_cuda/device_array.h"
#include "harness/execute_cuda/gpu_kernel.h"
#include "harness/execute_cuda/reference_bodies.h"
#include "harness/plan/plan_bytes.h"

namespace cpbench {
namespace {

constexpr int32_t kWarpLog2 = 5;

template <typename T>
DeviceArray<T> upload(const std::vector<T>& values) {
  return DeviceArray<T>(std::span<const T>(values));
}

// RowBlocks in device memory.
class DeviceBlocks {
 public:
  void add(int64_t rows) {
    before_.push_back(static_cast<int32_t>(rows_));
    rows_ += rows;
  }
  RowBlocks upload() {
    on_device_ = cpbench::upload(before_);
    return {on_device_.data(), static_cast<int32_t>(before_.size()), rows_};
  }

 private:
  std::vector<int32_t> before_;
  int64_t rows_ = 0;
  DeviceArray<int32_t> on_device_;
};

// The rows of dK and dV, divided wherever the keys of a segment begin or end.
struct KeyBlocks {
  explicit KeyBlocks(std::span<const Segment> segments) {
    struct Edge {
      int64_t row;
      int32_t segment;
      bool begins;
    };
    std::vector<Edge> edges;
    for (int32_t i = 0; i < static_cast<int32_t>(segments.size()); ++i) {
      const int64_t begin = segments[i].dkv_row, end = begin + segments[i].kv_rows;
      if (begin == end) continue;
      edges.push_back({begin, i, true});
      edges.push_back({end, i, false});
    }
    std::ranges::sort(edges, {}, &Edge::row);
    std::set<int32_t> open;
    for (size_t e = 0; e < edges.size(); ++e) {
      if (edges[e].begins) {
        open.insert(edges[e].segment);
      } else {
        open.erase(edges[e].segment);
      }
      if (open.empty() || edges[e + 1].row == edges[e].row) continue;
      blocks.push_back({static_cast<int32_t>(edges[e].row), static_cast<int32_t>(members.size()),
                        static_cast<int32_t>(open.size())});
      members.insert(members.end(), open.begin(), open.end());
      rows.push_back(edges[e + 1].row - edges[e].row);
    }
  }
  std::vector<KeyBlock> blocks;
  std::vector<int32_t> members;
  std::vector<int64_t> rows;  // by block
};

HeadGroups groups_of(const AttentionShape& shape, Heads heads) {
  const Heads kv = kv_heads_of(heads, shape);
  return {shape.query_heads / shape.kv_heads, heads.begin, kv.begin, heads.size(), kv.size()};
}

template <typename T, typename A, typename Call>
void set_inputs(AttentionInputs<T, A>& in, const Call& c, const DeviceArray<Segment>& segments) {
  in.segments = segments.data();
  in.groups = groups_of(c.shape, c.heads);
  in.scale = static_cast<A>(1 / std::sqrt(static_cast<double>(c.shape.head_dim)));
  in.q = Rows<const T>(c.q);
  in.k = Rows<const T>(c.k);
  in.v = Rows<const T>(c.v);
}

template <typename T, typename A, typename O>
class ReferenceForward : public BoundCall {
 public:
  explicit ReferenceForward(const ForwardCall& c) : segments_(c.segments) {
    for (const Segment& s : c.segments) blocks_.add(s.q_rows);
    set_inputs(body_.in, c, segments_);
    body_.blocks = blocks_.upload();
    body_.o = Rows<O>(c.o);
    body_.lse = Rows<A>(c.lse);
  }
  void launch(cudaStream_t stream, std::byte*) const override {
    cpbench::launch(body_, body_.blocks.rows * body_.in.groups.heads, stream, kWarpLog2);
  }

 private:
  DeviceArray<Segment> segments_;
  DeviceBlocks blocks_;
  AttentionForward<T, A, O> body_;
};

template <typename T, typename A>
class ReferenceBackward : public BoundCall {
 public:
  explicit ReferenceBackward(const BackwardCall& c) : segments_(c.segments) {
    for (const Segment& s : c.segments) query_blocks_.add(s.q_rows);
    const KeyBlocks keys(c.segments);
    for (const int64_t rows : keys.rows) row_blocks_.add(rows);
    key_blocks_ = upload(keys.blocks);
    members_ = upload(keys.members);

    GradientInputs<T, A> in;
    set_inputs(in, c, segments_);
    in.d_o = Rows<const T>(c.d_o);
    in.lse = Rows<const A>(c.lse);
    in.row_sums = Rows<const A>(c.row_sums);
    query_ = {in, query_blocks_.upload(), Rows<A>(c.dq)};
    key_ = {in,           key_blocks_.data(), members_.data(), row_blocks_.upload(), Rows<A>(c.dk),
            Rows<A>(c.dv)};
  }
  void launch(cudaStream_t stream, std::byte*) const override {
    cpbench::launch(query_, query_.blocks.rows * query_.in.groups.heads, stream, kWarpLog2);
    cpbench::launch(key_, key_.blocks.rows * key_.in.groups.kv_heads, stream, kWarpLog2);
  }

 private:
  DeviceArray<Segment> segments_;
  DeviceArray<KeyBlock> key_blocks_;
  DeviceArray<int32_t> members_;
  DeviceBlocks query_blocks_, row_blocks_;
  QueryGradient<T, A> query_;
  KeyGradient<T, A> key_;
};

// Calls visit(T{}, O{}) for inputs in the model's dtype, and outputs in that dtype or in its
// accumulation dtype.
template <typename Visit>
void with_elements(Dtype model, Dtype out, const Visit& visit) {
  with_element(model, [&](auto t) {
    with_element(out, [&](auto o) {
      using T = decltype(t);
      using O = decltype(o);
      constexpr bool kNarrow = std::is_same_v<T, BFloat16> && !std::is_same_v<O, double>;
      if constexpr (std::is_same_v<T, O> || kNarrow) {
        visit(t, o);
      } else {
        throw std::logic_error("outputs must be in the model's dtype or in the accumulation dtype");
      }
    });
  });
}

template <typename T>
using Accumulation = std::conditional_t<std::is_same_v<T, double>, double, float>;

class ReferenceKernel : public GpuKernel {
 public:
  void check(const AttentionShape&) const override {}

  std::unique_ptr<BoundCall> bind(const ForwardCall& c) const override {
    std::unique_ptr<BoundCall> bound;
    with_elements(c.q.dtype, c.o.dtype, [&](auto t, auto o) {
      using T = decltype(t);
      bound = std::make_unique<ReferenceForward<T, Accumulation<T>, decltype(o)>>(c);
    });
    return bound;
  }

  std::unique_ptr<BoundCall> bind(const BackwardCall& c) const override {
    std::unique_ptr<BoundCall> bound;
    with_elements(c.q.dtype, c.dq.dtype, [&](auto t, auto sum) {
      using T = decltype(t);
      if constexpr (std::is_same_v<decltype(sum), Accumulation<T>>) {
        bound = std::make_unique<ReferenceBackward<T, Accumulation<T>>>(c);
      } else {
        throw std::logic_error("gradients must be in the accumulation dtype");
      }
    });
    return bound;
  }
};

}  // namespace

std::unique_ptr<GpuKernel> make_gpu_reference_kernel() {
  return std::make_unique<ReferenceKernel>();
}

}  // namespace cpbench
