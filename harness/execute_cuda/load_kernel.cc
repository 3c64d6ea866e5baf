#include "harness/execute_cuda/load_kernel.h"

#include <dlfcn.h>

#include "harness/execute_cuda/open_kernel.h"
#include "harness/plan/errors.h"

namespace cpbench {
namespace {

// What has to be there, when building and when running.
std::string needs_of(const std::string& name) {
  return name == "flash" ? "LibTorch with CUDA and the libraries that come with it"
                         : "cuDNN 9 and, to build, the headers of nvidia-cudnn-frontend";
}

}  // namespace

std::unique_ptr<GpuKernel> load_kernel(const std::string& name,
                                       const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / ("cpbench_" + name + ".so");
  if (!std::filesystem::exists(file)) {
    throw UserError("this cpbench was built without kernel '" + name + "': it needs " +
                    needs_of(name));
  }
  void* module = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!module) {
    throw UserError("kernel '" + name + "' cannot be loaded: it needs " + needs_of(name) + " (" +
                    dlerror() + ")");
  }
  const auto make = reinterpret_cast<MakeKernelFunction*>(dlsym(module, kMakeKernelFunction));
  if (!make) throw UserError(file.string() + " is of another cpbench: build again");
  return std::unique_ptr<GpuKernel>(make());
}

}  // namespace cpbench
