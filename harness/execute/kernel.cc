#include "harness/execute/kernel.h"

#include "harness/plan/errors.h"
#include "harness/plan/nearest.h"

namespace cpbench {

const std::vector<std::string>& kernel_names() {
  static const std::vector<std::string> names = {"fused", "reference"};
  return names;
}

std::unique_ptr<Kernel> make_kernel(const std::string& name) {
  if (name == "fused") return make_fused_kernel();
  if (name == "reference") return make_reference_kernel();
  throw UserError(unknown_name("kernel", name, kernel_names()));
}

}  // namespace cpbench
