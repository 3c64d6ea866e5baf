#include "harness/execute_cuda/open_kernel.h"

#include "harness/execute/gpus/gpu_kernel_names.h"
#include "harness/execute_cuda/attention/choose_kernel.h"
#include "harness/execute_cuda/capability.h"
#include "harness/execute_cuda/load_kernel.h"

namespace cpbench {

OpenedKernel open_gpu_kernel(const std::string& name, const AttentionShape& shape,
                             int32_t sm_margin) {
  check_gpu_kernel_name(name);
  if (sm_margin > 0) check_sms_left(sm_margin, current_sms());
  OpenedKernel opened;
  const auto open = [&](const std::string& candidate) {
    check_sm_margin(candidate, sm_margin);
    opened.kernel =
        candidate == "reference" ? make_gpu_reference_kernel() : load_kernel(candidate, sm_margin);
    opened.kernel->check(shape);
  };
  const std::vector<std::string> names =
      name == "auto" ? auto_kernels(current_capability()) : std::vector<std::string>{name};
  opened.name = first_kernel(names, open);
  return opened;
}

}  // namespace cpbench
