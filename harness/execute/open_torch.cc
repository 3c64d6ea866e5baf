#include <array>
#include <mutex>

#include "harness/execute/execute.h"
#include "harness/execute/torch.h"

namespace cpbench {

const Torch& open_torch() {
  static const Torch* const torch =
      reinterpret_cast<OpenTorchFunction*>(module_function(torch_module(kTorchFunction)))();
  return *torch;
}

double core_peak_flops_per_second(Dtype dtype) {
  static std::mutex mutex;
  static std::array<double, 3> known{};  // in the order of Dtype
  const std::lock_guard lock(mutex);
  double& peak = known[static_cast<size_t>(dtype)];
  if (peak == 0) peak = open_torch().core_peak_flops_per_second(dtype);
  return peak;
}

}  // namespace cpbench
