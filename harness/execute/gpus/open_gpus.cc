#include "harness/execute/gpus/gpu.h"
#include "harness/execute/module.h"

namespace cpbench {

Gpus& open_gpus() {
  static Gpus* const gpus = [] {
    void* open = module_function({.file = kGpuModule,
                                  .function = kGpuFunction,
                                  .feature = "CUDA",
                                  .requirements = "the CUDA toolkit (nvcc) and NCCL"});
    return reinterpret_cast<OpenGpusFunction*>(open)();
  }();
  return *gpus;
}

}  // namespace cpbench
