#include "harness/execute_cuda/load_kernel.h"

#include "harness/execute/module.h"
#include "harness/execute_cuda/open_kernel.h"

namespace cpbench {

std::unique_ptr<GpuKernel> load_kernel(const std::string& name) {
  void* make = module_function(
      {.file = "cpbench_" + name + ".so",
       .function = kMakeKernelFunction,
       .feature = "kernel '" + name + "'",
       .requirements = name == "flash" ? "LibTorch with CUDA and the libraries that come with it"
                                       : "cuDNN 9 and nvidia-cudnn-frontend"});
  return std::unique_ptr<GpuKernel>(reinterpret_cast<MakeKernelFunction*>(make)());
}

}  // namespace cpbench
