#include <ATen/Functions.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <array>
#include <chrono>

#include "harness/execute_torch/parts.h"

namespace cpbench {
namespace {

constexpr int64_t kSide = 1024;  // three float64 matrices take 24 MB, more than a core's own cache
constexpr int kRepetitions = 7;  // the best one counts, because this is a peak
constexpr std::array kTypes = {at::kDouble, at::kFloat, at::kBFloat16};  // in the order of Dtype

}  // namespace

double measure_core_peak(Dtype dtype) {
  const c10::InferenceMode guard;
  use_cores(Cores::one);
  const at::ScalarType type = kTypes[static_cast<size_t>(dtype)];
  const at::Tensor a = at::full({kSide, kSide}, 0.5, type);
  const at::Tensor b = at::full({kSide, kSide}, 0.25, type);
  at::Tensor c = at::empty({kSide, kSide}, type);
  double best = 0;
  for (int i = 0; i <= kRepetitions; ++i) {
    const auto start = std::chrono::steady_clock::now();
    at::mm_out(c, a, b);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    if (i > 0) best = std::max(best, 2.0 * kSide * kSide * kSide / seconds.count());  // 0 warms up
  }
  return best;
}

}  // namespace cpbench
