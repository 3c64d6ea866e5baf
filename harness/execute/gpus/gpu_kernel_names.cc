#include "harness/execute/gpus/gpu_kernel_names.h"

namespace cpbench {

const std::vector<std::string>& gpu_kernel_names() {
  static const std::vector<std::string> names = {"cudnn", "flash", "reference"};
  return names;
}

}  // namespace cpbench
