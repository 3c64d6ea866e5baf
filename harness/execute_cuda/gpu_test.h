// What tests of GPU code share: a GPU or the fake one (tests/fake_gpu), and buffers in both
// memories.
#pragma once

#include <gtest/gtest.h>

#include <vector>

#include "harness/execute/bound_buffer.h"
#include "harness/execute/element.h"
#include "harness/execute/inputs.h"
#include "harness/execute_cuda/device_array.h"

namespace cpbench {

class GpuTest : public testing::Test {
 protected:
  void SetUp() override {
    int gpus = 0;
    if (cudaGetDeviceCount(&gpus) != cudaSuccess) GTEST_SKIP() << "no GPU here";
    check_cuda(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "cudaStreamCreate");
  }
  void TearDown() override {
    if (stream_ != nullptr) check_cuda(cudaStreamDestroy(stream_), "cudaStreamDestroy");
  }
  cudaStream_t stream_ = nullptr;
};

// A buffer in the host's memory, and a copy of it in the GPU's.
struct Twin {
  // The values are like those of inputs. Some log-sum-exps are -infinity, as for rows that see no
  // key.
  Twin(const Buffer& layout, const AttentionShape& shape, uint64_t seed)
      : bytes(static_cast<size_t>(parts_of(layout, shape).bytes)),
        arena(static_cast<int64_t>(bytes)),
        host(bound_at(layout, shape, arena.data())) {
    for (int32_t p = 0; p < host.parts.count; ++p) {
      fill_input(matrix_of(host, p, host.heads), static_cast<Input>(p), {0, layout.rows}, 0, seed);
    }
    if (layout.tensor == Tensor::o) {
      with_element(host.parts.part[0].dtype, [&](auto zero) {
        auto* lse = reinterpret_cast<decltype(zero)*>(host.data);
        const uint64_t first = seed % 5;
        for (int64_t i = first; i < layout.rows * layout.heads.size(); i += 5) {
          lse[i] = static_cast<decltype(zero)>(-INFINITY);
        }
      });
    }
    upload();
  }
  void upload() {
    gpu_bytes = DeviceArray<std::byte>(std::span<const std::byte>(arena.data(), bytes));
    gpu = host;
    gpu.data = gpu_bytes.data();
  }
  std::vector<std::byte> download() const {
    std::vector<std::byte> copy(bytes);
    if (bytes > 0) {
      const auto code = cudaMemcpy(copy.data(), gpu.data, bytes, cudaMemcpyDeviceToHost);
      check_cuda(code, "cudaMemcpy");
    }
    return copy;
  }
  size_t bytes;
  Arena arena;
  BoundBuffer host;
  DeviceArray<std::byte> gpu_bytes;
  BoundBuffer gpu;
};

// The largest distance between elements of a part; NaN if only one of two elements is NaN. Equal
// infinities have distance 0.
inline double distance(const BoundBuffer& layout, int32_t part, const std::byte* a,
                       const std::byte* b) {
  const Part& p = layout.parts.part[part];
  const int64_t end =
      part + 1 < layout.parts.count ? layout.parts.part[part + 1].offset : layout.parts.bytes;
  double worst = 0;
  with_element(p.dtype, [&](auto zero) {
    using T = decltype(zero);
    const auto* x = reinterpret_cast<const T*>(a + p.offset);
    const auto* y = reinterpret_cast<const T*>(b + p.offset);
    for (int64_t i = 0; i < (end - p.offset) / static_cast<int64_t>(sizeof(T)); ++i) {
      if (static_cast<double>(x[i]) == static_cast<double>(y[i])) continue;
      const double d = std::abs(static_cast<double>(x[i]) - static_cast<double>(y[i]));
      if (!(d <= worst)) worst = d;
      if (std::isnan(worst)) return;
    }
  });
  return worst;
}

}  // namespace cpbench
