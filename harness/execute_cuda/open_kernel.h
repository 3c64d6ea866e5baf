// Opens an attention kernel. Those of libraries are in modules of their own beside this one, loaded
// only when they are asked for, so that each library is needed by its kernel alone.
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

// `name`: "auto" or one of gpu_kernel_names() (choose_kernel.h). `auto` takes the fastest that can
// do the shape on this GPU. Throws UserError: unknown name, module not built, library missing or
// too old, shape that the kernel cannot do.
OpenedKernel open_gpu_kernel(const std::string& name, const AttentionShape& shape);

// What each module exports: makes its kernel, or throws UserError.
inline constexpr const char* kMakeKernelFunction = "cpbench_make_gpu_kernel";
using MakeKernelFunction = GpuKernel*();

}  // namespace cpbench
