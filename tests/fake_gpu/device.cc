// The CUDA functions for devices, versions and errors.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>

#include "tests/fake_gpu/fake.h"

namespace fake_gpu {
namespace {

thread_local int device = 0;
thread_local cudaError_t last_error = cudaSuccess;

bool exists(int number) { return number >= 0 && number < device_count(); }

}  // namespace

void misuse(const std::string& what) {
  std::fprintf(stderr, "fake GPU: %s\n", what.c_str());
  std::fflush(stderr);
  std::abort();
}

int current_device() { return device; }

int64_t setting(const char* name, int64_t fallback) {
  const char* text = std::getenv(name);
  if (text == nullptr) return fallback;
  char* end = nullptr;
  const int64_t value = std::strtoll(text, &end, 10);
  if (end == text || *end != '\0') {
    misuse(std::string(name) + " must be a number, not '" + text + "'");
  }
  return value;
}

int device_count() { return static_cast<int>(setting("FAKE_GPU_COUNT", 4)); }
size_t memory_limit() { return setting("FAKE_GPU_MEMORY", int64_t{1} << 30); }

cudaError_t done(cudaError_t code) {
  if (code != cudaSuccess) last_error = code;
  return code;
}

}  // namespace fake_gpu

using namespace fake_gpu;  // NOLINT(google-build-using-namespace): what the C interface stands on

extern "C" {

cudaError_t cudaGetDeviceCount(int* count) {
  *count = device_count();
  return done(*count > 0 ? cudaSuccess : cudaErrorNoDevice);
}

cudaError_t cudaSetDevice(int number) {
  forbid_in_host_function("cudaSetDevice");
  if (!exists(number)) return done(cudaErrorInvalidDevice);
  // The first one allocates the memory of a context.
  if (number == setting("FAKE_GPU_FULL", -1)) return done(cudaErrorMemoryAllocation);
  device = number;
  return cudaSuccess;
}

cudaError_t cudaGetDevice(int* number) {
  *number = device;
  return cudaSuccess;
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* p, int number) {
  if (!exists(number)) return done(cudaErrorInvalidDevice);
  std::memset(p, 0, sizeof(*p));
  std::strcpy(p->name, "Fake GPU");
  std::memset(p->uuid.bytes, number + 1, sizeof(p->uuid.bytes));
  p->totalGlobalMem = memory_limit();
  p->sharedMemPerBlock = 48 << 10;
  p->regsPerBlock = 65536;
  p->warpSize = 32;
  p->maxThreadsPerBlock = 1024;
  p->major = 9;
  p->multiProcessorCount = 4;
  p->maxThreadsPerMultiProcessor = 2048;
  p->concurrentKernels = 1;
  p->asyncEngineCount = 2;
  p->unifiedAddressing = 1;
  p->pciBusID = number + 1;
  p->memoryBusWidth = 64;
  p->l2CacheSize = 1 << 16;
  return cudaSuccess;
}

cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int number) {
  cudaDeviceProp p;
  const cudaError_t code = cudaGetDeviceProperties(&p, number);
  if (code != cudaSuccess) return code;
  const std::map<cudaDeviceAttr, int> values = {
      {cudaDevAttrClockRate, 1'000'000},  // kHz
      {cudaDevAttrMemoryClockRate, 500'000},
      {cudaDevAttrGlobalMemoryBusWidth, p.memoryBusWidth},
      {cudaDevAttrL2CacheSize, p.l2CacheSize},
      {cudaDevAttrMultiProcessorCount, p.multiProcessorCount},
      {cudaDevAttrComputeCapabilityMajor, p.major},
      {cudaDevAttrComputeCapabilityMinor, p.minor},
      {cudaDevAttrPciBusId, p.pciBusID},
  };
  const auto found = values.find(attribute);
  if (found == values.end()) misuse("attribute " + std::to_string(attribute) + " is not supported");
  *value = found->second;
  return cudaSuccess;
}

cudaError_t cudaDeviceGetPCIBusId(char* text, int size, int number) {
  if (!exists(number)) return done(cudaErrorInvalidDevice);
  std::snprintf(text, size, "0000:%02x:00.0", number + 1);
  return cudaSuccess;
}

cudaError_t cudaDeviceCanAccessPeer(int* can, int a, int b) {
  if (!exists(a) || !exists(b)) return done(cudaErrorInvalidDevice);
  *can = a != b;
  return cudaSuccess;
}

cudaError_t cudaDeviceEnablePeerAccess(int number, unsigned) {
  return done(exists(number) && number != device ? cudaSuccess : cudaErrorInvalidDevice);
}

cudaError_t cudaDeviceGetStreamPriorityRange(int* least, int* greatest) {
  *least = 0;
  *greatest = -5;
  return cudaSuccess;
}

cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = CUDART_VERSION;
  return cudaSuccess;
}

cudaError_t cudaDriverGetVersion(int* version) { return cudaRuntimeGetVersion(version); }

cudaError_t cudaGetLastError() {
  const cudaError_t code = last_error;
  last_error = cudaSuccess;
  return code;
}

const char* cudaGetErrorString(cudaError_t code) {
  static const std::map<cudaError_t, const char*> texts = {
      {cudaSuccess, "no error"},
      {cudaErrorInvalidValue, "cudaErrorInvalidValue"},
      {cudaErrorMemoryAllocation, "out of memory"},
      {cudaErrorInvalidDevice, "invalid device ordinal"},
      {cudaErrorNoDevice, "no CUDA-capable device is detected"},
      {cudaErrorInvalidResourceHandle, "cudaErrorInvalidResourceHandle"},
      {cudaErrorNotReady, "cudaErrorNotReady"},
      {cudaErrorStreamCaptureUnsupported, "cudaErrorStreamCaptureUnsupported"},
      {cudaErrorStreamCaptureInvalidated, "cudaErrorStreamCaptureInvalidated"},
      {cudaErrorStreamCaptureMerge, "cudaErrorStreamCaptureMerge"},
      {cudaErrorStreamCaptureUnmatched, "cudaErrorStreamCaptureUnmatched"},
      {cudaErrorStreamCaptureUnjoined, "cudaErrorStreamCaptureUnjoined"},
      {cudaErrorStreamCaptureIsolation, "cudaErrorStreamCaptureIsolation"},
      {cudaErrorCapturedEvent, "cudaErrorCapturedEvent"},
  };
  const auto found = texts.find(code);
  return found == texts.end() ? "cudaErrorUnknown" : found->second;
}

}  // extern "C"
