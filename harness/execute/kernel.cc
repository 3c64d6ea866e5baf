#include "harness/execute/kernel.h"

#include <algorithm>

#include "harness/execute/torch.h"
#include "harness/plan/errors.h"
#include "harness/plan/nearest.h"

namespace cpbench {

const std::vector<std::string>& kernel_names() {
  static const std::vector<std::string> names = {"fused", "reference"};
  return names;
}

std::unique_ptr<Kernel> make_kernel(const std::string& name, Cores cores) {
  if (name == "fused") return open_torch().fused_kernel(cores);
  if (name == "reference") return make_reference_kernel();
  throw UserError(unknown_name("kernel", name, kernel_names()));
}

std::string kernel_for(const std::string& name, const AttentionShape& shape) {
  if (name != "auto") {
    make_kernel(name)->check(shape);
    return name;
  }
  return *std::ranges::find_if(kernel_names(), [&shape](const std::string& candidate) {
    try {
      make_kernel(candidate)->check(shape);
      return true;
    } catch (const UserError&) {
      return false;
    }
  });  // the last one supports every shape
}

}  // namespace cpbench
