// Opens an attention kernel by name. The kernels of libraries are modules of their own, loaded only
// when they are used, so that each library is required only by its kernel.
//
//   const OpenedKernel opened = open_gpu_kernel("auto", shape);   // on the current GPU
//   opened.name                                                   // "cudnn"
#pragma once

#include <memory>
#include <string>

#include "harness/execute_cuda/gpu_kernel.h"

namespace cpbench {

struct OpenedKernel {
  std::string name;
  std::unique_ptr<GpuKernel> kernel;
};

// `name` must be "auto" or one of gpu_kernel_names(). "auto" opens the fastest kernel that supports
// the shape on this GPU. The kernel leaves `sm_margin` SMs free. Throws UserError for an unknown
// name, a module that was not built, a library that is missing or too old, or a shape or margin
// that the kernel does not support.
OpenedKernel open_gpu_kernel(const std::string& name, const AttentionShape& shape,
                             int32_t sm_margin = 0);

// What each module exports. It makes the module's kernel, or throws UserError.
inline constexpr const char* kMakeKernelFunction = "cpbench_make_gpu_kernel";
using MakeKernelFunction = GpuKernel*(int32_t sm_margin);
// What cpbench_flash.so exports besides: it makes kernel 'flash3'.
inline constexpr const char* kMakeFlash3Function = "cpbench_make_flash3_kernel";
// What cpbench_cudnn.so exports besides.
inline constexpr const char* kCudnnVersionFunction = "cpbench_cudnn_version";
using CudnnVersionFunction = int();

}  // namespace cpbench
