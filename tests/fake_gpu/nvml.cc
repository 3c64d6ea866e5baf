// The functions of the driver's management library that Clocks uses.
#include <cstdio>
#include <cstdlib>

#include "tests/fake_gpu/fake.h"

using fake_gpu::setting;

extern "C" {

int nvmlInit_v2() { return 0; }
int nvmlShutdown() { return 0; }

int nvmlSystemGetDriverVersion(char* text, unsigned size) {
  std::snprintf(text, size, "1.2.3");
  return 0;
}

int nvmlDeviceGetHandleByPciBusId_v2(const char*, void** device) {
  static int all;
  *device = &all;
  return 0;
}

int nvmlDeviceGetClockInfo(void*, int, unsigned* megahertz) {
  *megahertz = 1000;
  return 0;
}
int nvmlDeviceGetMaxClockInfo(void*, int, unsigned* megahertz) {
  *megahertz = 1000;
  return 0;
}

int nvmlDeviceGetPowerUsage(void*, unsigned* milliwatts) {
  *milliwatts = 300'000;
  return 0;
}

int nvmlDeviceGetCurrentClocksEventReasons(void*, unsigned long long* reasons) {
  *reasons = static_cast<unsigned long long>(setting("FAKE_NVML_REASONS", 0));
  return 0;
}

}  // extern "C"
