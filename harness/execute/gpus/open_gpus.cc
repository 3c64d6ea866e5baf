#include "harness/execute/gpus/gpu.h"
#include "harness/execute/module.h"
#include "harness/plan/errors.h"

namespace cpbench {
namespace {

Gpus* open() {
  const std::string file = module_file(kGpuModule);
  if (file.empty()) {
    throw UserError(
        "this cpbench was built without CUDA: install the CUDA toolkit (nvcc) and NCCL, and build "
        "again");
  }
  return reinterpret_cast<OpenGpusFunction*>(module_function(file, kGpuFunction, false))();
}

}  // namespace

Gpus& open_gpus() {
  static Gpus* const gpus = open();
  return *gpus;
}

}  // namespace cpbench
