#include "harness/execute/gpus/gpu_kernel_names.h"

#include "harness/plan/errors.h"

namespace cpbench {

const std::vector<std::string>& gpu_kernel_names() {
  static const std::vector<std::string> names = {"cudnn", "flash3", "flash", "reference"};
  return names;
}

void check_sm_margin(const std::string& kernel, int32_t sm_margin) {
  if (sm_margin == 0 || kernel == "flash3") return;
  throw UserError("kernel '" + kernel + "' uses all SMs; only kernel 'flash3' has an sm_margin");
}

}  // namespace cpbench
