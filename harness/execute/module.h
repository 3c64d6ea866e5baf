// Modules are shared libraries of this project that are loaded only when their feature is used, so
// the program itself starts without LibTorch, MPI, CUDA or cuDNN.
//
//   const auto open = reinterpret_cast<OpenGpusFunction*>(
//       module_function({.file = "cpbench_cuda.so", .function = "cpbench_open_gpus",
//                        .feature = "CUDA", .requirements = "the CUDA toolkit and NCCL"}));
#pragma once

#include <dlfcn.h>

#include <string>

namespace cpbench {

struct Module {
  // In the program's folder, or in ../lib where it is installed. Tests, which are in folders of the
  // build, find it at its top.
  std::string file;
  const char* function;                 // what it exports
  std::string feature;                  // what errors call it
  std::string requirements;             // what must be installed for it
  int binding = RTLD_NOW | RTLD_LOCAL;  // flags of dlopen
};

// Loads the module and returns its function. Throws UserError if the module was not built, cannot
// be loaded or belongs to another version of cpbench.
void* module_function(const Module& module);

}  // namespace cpbench
