// A libcuda.so.1 for cuDNN where there is no driver. cuDNN loads the code that it compiles, so that
// must succeed; nothing ever runs.
#include <dlfcn.h>

namespace {

constexpr int kSuccess = 0;
int not_here() { return 34; }  // CUDA_ERROR_STUB_LIBRARY
void* some_handle() {
  static int target;
  return &target;
}

}  // namespace

extern "C" {

int cuInit(unsigned) { return kSuccess; }
int cuDriverGetVersion(int* version) {
  *version = 13000;
  return kSuccess;
}
int cuDeviceGetCount(int* count) {
  *count = 0;
  return kSuccess;
}
int cuGetProcAddress_v2(const char* name, void** function, int, unsigned long long, int* result) {
  static void* const self = dlopen("libcuda.so.1", RTLD_NOLOAD | RTLD_LAZY);
  *function = dlsym(self, name);
  if (*function == nullptr) *function = reinterpret_cast<void*>(&not_here);
  if (result != nullptr) *result = 0;
  return kSuccess;
}
int cuGetProcAddress(const char* name, void** function, int version, unsigned long long flags) {
  return cuGetProcAddress_v2(name, function, version, flags, nullptr);
}
int cuLibraryLoadData(void** library, const void*, void*, void*, unsigned, void*, void*, unsigned) {
  *library = some_handle();
  return kSuccess;
}
int cuLibraryUnload(void*) { return kSuccess; }
int cuLibraryGetKernel(void** kernel, void*, const char*) {
  *kernel = some_handle();
  return kSuccess;
}
int cuLibraryGetKernelCount(unsigned* count, void*) {
  *count = 1;
  return kSuccess;
}
int cuLibraryEnumerateKernels(void** kernels, unsigned count, void*) {
  for (unsigned i = 0; i < count; ++i) kernels[i] = some_handle();
  return kSuccess;
}
int cuKernelGetFunction(void** function, void*) {
  *function = some_handle();
  return kSuccess;
}
int cuKernelSetAttribute(int, int, void*, int) { return kSuccess; }
int cuFuncSetAttribute(void*, int, int) { return kSuccess; }
int cuKernelGetAttribute(int* value, int, void*, int) {
  *value = 0;
  return kSuccess;
}
int cuFuncGetAttribute(int* value, int, void*) {
  *value = 0;
  return kSuccess;
}

// cuDNN looks for these and does not call them.
#define STUB(name) \
  int name() { return not_here(); }
STUB(cuCtxGetCurrent)
STUB(cuCtxGetLimit)
STUB(cuCtxPopCurrent)
STUB(cuCtxPushCurrent)
STUB(cuDeviceGet)
STUB(cuGetErrorName)
STUB(cuGetErrorString)
STUB(cuGetExportTable)  // of NVRTC
STUB(cuLaunchCooperativeKernel)
STUB(cuLaunchKernel)
STUB(cuLaunchKernelEx)
STUB(cuLibraryLoadFromFile)
STUB(cuLinkAddData)
STUB(cuLinkComplete)
STUB(cuLinkCreate)
STUB(cuLinkDestroy)
STUB(cuOccupancyMaxPotentialClusterSize)
STUB(cuStreamGetCtx)
#undef STUB

}  // extern "C"
