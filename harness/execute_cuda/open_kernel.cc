#include "harness/execute_cuda/open_kernel.h"

#include "harness/execute_cuda/attention/choose_kernel.h"
#include "harness/execute_cuda/capability.h"
#include "harness/execute_cuda/load_kernel.h"

namespace cpbench {

OpenedKernel open_gpu_kernel(const std::string& name, const AttentionShape& shape) {
  check_gpu_kernel_name(name);
  OpenedKernel opened;
  const auto open = [&](const std::string& candidate) {
    opened.kernel = candidate == "reference" ? make_gpu_reference_kernel() : load_kernel(candidate);
    opened.kernel->check(shape);
  };
  const std::vector<std::string> names =
      name == "auto" ? auto_kernels(current_capability()) : std::vector<std::string>{name};
  opened.name = first_kernel(names, open);
  return opened;
}

}  // namespace cpbench
