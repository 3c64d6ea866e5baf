#include "harness/execute_cuda/load_kernel.h"

#include "harness/execute/module.h"
#include "harness/execute_cuda/open_kernel.h"
#include "harness/plan/errors.h"

namespace cpbench {
namespace {

template <typename Function>
Function* function_of_kernel(const std::string& name, const char* function) {
  const bool flash = name.starts_with("flash");
  return reinterpret_cast<Function*>(module_function(
      {.file = flash ? "cpbench_flash.so" : "cpbench_cudnn.so",
       .function = function,
       .feature = "kernel '" + name + "'",
       .requirements = flash ? "LibTorch with CUDA and the libraries that come with it"
                             : "cuDNN 9 and nvidia-cudnn-frontend"}));
}

}  // namespace

std::unique_ptr<GpuKernel> load_kernel(const std::string& name, int32_t sm_margin) {
  return std::unique_ptr<GpuKernel>(function_of_kernel<MakeKernelFunction>(
      name, name == "flash3" ? kMakeFlash3Function : kMakeKernelFunction)(sm_margin));
}

int loaded_cudnn_version() {
  try {
    return function_of_kernel<CudnnVersionFunction>("cudnn", kCudnnVersionFunction)();
  } catch (const UserError&) {
    return 0;
  }
}

}  // namespace cpbench
