// The peak FLOP/s to which the MFU of threads refers: one core in a large matrix product.
#include <ATen/Functions.h>
#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <mutex>
#include <thread>

#include "harness/execute/execute.h"

namespace cpbench {
namespace {

constexpr int64_t kSide = 1024;  // three float64 matrices take 24 MB, more than a core's own cache
constexpr int kRepetitions = 7;  // the best one counts, because this is a peak

double measure(at::ScalarType type) {
  const c10::InferenceMode guard;
  at::set_num_threads(1);
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

}  // namespace

double core_peak_flops_per_second(Dtype dtype) {
  constexpr std::array kTypes = {at::kDouble, at::kFloat, at::kBFloat16};  // in the order of Dtype
  static std::mutex mutex;
  static std::array<double, kTypes.size()> known{};
  const std::lock_guard lock(mutex);
  double& peak = known[static_cast<size_t>(dtype)];
  // On a thread of its own, because LibTorch's number of threads is a property of each thread.
  if (peak == 0) std::thread([&] { peak = measure(kTypes[static_cast<size_t>(dtype)]); }).join();
  return peak;
}

}  // namespace cpbench
