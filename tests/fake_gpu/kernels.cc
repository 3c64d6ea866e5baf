// Kernel launches. The code that nvcc generates registers each kernel by its name, and
// host_kernels.h registers the loop that runs its body on the CPU under the same name.
#include <cxxabi.h>

#include <cstdlib>
#include <cstring>
#include <map>

#include "tests/fake_gpu/fake.h"

namespace fake_gpu {
namespace {

struct HostKernel {
  size_t body_bytes = 0;
  RunGroups run = nullptr;
};

struct Kernels {
  std::mutex mutex;
  std::map<std::string, HostKernel> by_name;
  std::map<const void*, std::string> by_function;
};

Kernels& kernels() {
  static auto* const all = new Kernels;  // used by constructors and destructors of static variables
  return *all;
}

std::string demangled(const char* name) {
  int failed = 0;
  char* text = abi::__cxa_demangle(name, nullptr, nullptr, &failed);
  const std::string result = failed == 0 ? text : name;
  std::free(text);
  return result;
}

struct Configuration {
  dim3 grid, block;
  size_t shared_bytes;
  cudaStream_t stream;
};
thread_local std::vector<Configuration> pushed;

// The arguments of run_body are the body and the binary logarithm of a group's lanes.
void launch(const std::string& name, dim3 grid, dim3 block, void** arguments, cudaStream_t stream) {
  forbid_in_host_function("a kernel launch");
  HostKernel kernel;
  {
    const std::lock_guard lock(kernels().mutex);
    const auto found = kernels().by_name.find(name);
    if (found == kernels().by_name.end()) misuse("kernel '" + name + "' has no loop for the CPU");
    kernel = found->second;
  }
  if (stream_of(stream)->device() != current_device()) {
    misuse("kernel '" + name + "' is launched on device " + std::to_string(current_device()) +
           ", its stream is of device " + std::to_string(stream_of(stream)->device()));
  }
  // Aligned for any body.
  std::shared_ptr<void> body(std::aligned_alloc(64, (kernel.body_bytes + 63) / 64 * 64), std::free);
  std::memcpy(body.get(), arguments[0], kernel.body_bytes);
  const int32_t lanes_log2 = *static_cast<const int32_t*>(arguments[1]);
  const int64_t threads = int64_t{grid.x} * grid.y * grid.z * block.x * block.y * block.z;
  submit(stream,
         [body, run = kernel.run, groups = threads >> lanes_log2] { run(body.get(), groups); });
}

}  // namespace

bool register_kernel(const char* body_type, size_t body_bytes, RunGroups run) {
  const std::string body = demangled(body_type);
  const std::string name =
      "void cpbench::run_body<" + body + (body.ends_with('>') ? " " : "") + ">(" + body + ", int)";
  const std::lock_guard lock(kernels().mutex);
  kernels().by_name[name] = {body_bytes, run};
  return true;
}

}  // namespace fake_gpu

using namespace fake_gpu;  // NOLINT(google-build-using-namespace): what the C interface stands on

extern "C" {

void** __cudaRegisterFatBinary(void*) {
  static void* handle = nullptr;
  return &handle;
}
void __cudaRegisterFatBinaryEnd(void**) {}
void __cudaUnregisterFatBinary(void**) {}
char __cudaInitModule(void**) { return 0; }

void __cudaRegisterFunction(void**, const char* function, char*, const char* name, int, uint3*,
                            uint3*, dim3*, dim3*, int*) {
  const std::lock_guard lock(kernels().mutex);
  kernels().by_function[function] = demangled(name);
}

void __cudaRegisterVar(void**, char*, char*, const char* name, int, size_t, int, int) {
  misuse(std::string("device variables are not supported: '") + name + "'");
}

unsigned __cudaPushCallConfiguration(dim3 grid, dim3 block, size_t shared_bytes,
                                     CUstream_st* stream) {
  pushed.push_back({grid, block, shared_bytes, stream});
  return 0;
}

cudaError_t __cudaPopCallConfiguration(dim3* grid, dim3* block, size_t* shared_bytes,
                                       void* stream) {
  const Configuration& last = pushed.back();
  *grid = last.grid;
  *block = last.block;
  *shared_bytes = last.shared_bytes;
  *static_cast<cudaStream_t*>(stream) = last.stream;
  pushed.pop_back();
  return cudaSuccess;
}

cudaError_t __cudaGetKernel(cudaKernel_t* kernel, const void* function) {
  *kernel = reinterpret_cast<cudaKernel_t>(const_cast<void*>(function));
  return cudaSuccess;
}

cudaError_t cudaLaunchKernel(const void* function, dim3 grid, dim3 block, void** arguments, size_t,
                             cudaStream_t stream) {
  std::string name;
  {
    const std::lock_guard lock(kernels().mutex);
    const auto found = kernels().by_function.find(function);
    if (found == kernels().by_function.end()) misuse("a kernel that was never registered");
    name = found->second;
  }
  launch(name, grid, block, arguments, stream);
  return cudaSuccess;
}

cudaError_t __cudaLaunchKernel(cudaKernel_t kernel, dim3 grid, dim3 block, void** arguments,
                               size_t shared_bytes, cudaStream_t stream) {
  return cudaLaunchKernel(reinterpret_cast<const void*>(kernel), grid, block, arguments,
                          shared_bytes, stream);
}

}  // extern "C"
