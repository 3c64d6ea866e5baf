#include "harness/execute/gpus/gpu.h"
#include "harness/execute/module.h"

namespace cpbench {

namespace {

template <typename Function>
Function* function_of_module(const char* name) {
  return reinterpret_cast<Function*>(
      module_function({.file = kGpuModule,
                       .function = name,
                       .feature = "CUDA",
                       .requirements = "the CUDA toolkit (nvcc) and NCCL"}));
}

}  // namespace

Gpus& open_gpus() {
  static Gpus* const gpus = function_of_module<OpenGpusFunction>(kGpuFunction)();
  return *gpus;
}

std::map<std::string, std::string> gpu_library_versions() {
  std::map<std::string, std::string> versions;
  function_of_module<GpuVersionsFunction>(kGpuVersionsFunction)(versions);
  return versions;
}

}  // namespace cpbench
