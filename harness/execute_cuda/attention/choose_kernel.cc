#include "harness/execute_cuda/attention/choose_kernel.h"

#include <algorithm>

#include "harness/execute/gpus/gpu_kernel_names.h"
#include "harness/plan/errors.h"
#include "harness/plan/nearest.h"

namespace cpbench {
namespace {

// On older GPUs cuDNN's attention does not support segments that begin at any row.
constexpr int32_t kHopper = 90;

}  // namespace

void check_gpu_kernel_name(const std::string& name) {
  std::vector<std::string> names = gpu_kernel_names();
  names.insert(names.begin(), "auto");
  if (std::ranges::find(names, name) == names.end()) {
    throw UserError(unknown_name("GPU kernel", name, names));
  }
}

std::vector<std::string> auto_kernels(int32_t capability) {
  std::vector<std::string> names = gpu_kernel_names();
  if (capability < kHopper) std::erase(names, "cudnn");
  return names;
}

void check_sms_left(int32_t sm_margin, int32_t sms) {
  if (sm_margin < sms) return;
  throw UserError("sm_margin is " + std::to_string(sm_margin) + "; must be fewer than the " +
                  std::to_string(sms) + " SMs of the GPU");
}

std::string first_kernel(const std::vector<std::string>& names,
                         const std::function<void(const std::string&)>& open) {
  for (size_t i = 0; i < names.size(); ++i) {
    try {
      open(names[i]);
      return names[i];
    } catch (const UserError&) {
      if (i + 1 == names.size()) throw;
    }
  }
  throw UserError("no kernel to choose from");
}

}  // namespace cpbench
