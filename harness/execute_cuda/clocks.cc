// Declares the few functions of nvml.h that are used here, because a CUDA toolkit may lack the
// header.
#include "harness/execute_cuda/clocks.h"

#include <dlfcn.h>

namespace cpbench {
namespace {

constexpr int kSuccess = 0;
constexpr int kSmClock = 1;  // NVML_CLOCK_SM
constexpr double kHertzPerMegahertz = 1e6;

using Init = int();
using Shutdown = int();
using HandleByBus = int(const char* bus, void** device);
using ClockInfo = int(void* device, int type, unsigned* megahertz);
using DriverVersion = int(char* text, unsigned size);

}  // namespace

template <typename Function>
Function* Clocks::find(const char* name) const {
  return library_ ? reinterpret_cast<Function*>(dlsym(library_, name)) : nullptr;
}

Clocks::Clocks() : library_(dlopen("libnvidia-ml.so.1", RTLD_NOW | RTLD_LOCAL)) {
  auto* init = find<Init>("nvmlInit_v2");
  if (library_ && (!init || init() != kSuccess)) {
    dlclose(library_);
    library_ = nullptr;
  }
}

Clocks::~Clocks() {
  if (auto* shutdown = find<Shutdown>("nvmlShutdown")) shutdown();
  if (library_) dlclose(library_);
}

double Clocks::sm_hertz(const std::string& bus, const char* function) const {
  auto* info = find<ClockInfo>(function);
  auto* by_bus = find<HandleByBus>("nvmlDeviceGetHandleByPciBusId_v2");
  void* device = nullptr;
  unsigned megahertz = 0;
  const bool known = info && by_bus && by_bus(bus.c_str(), &device) == kSuccess &&
                     info(device, kSmClock, &megahertz) == kSuccess;
  return known ? kHertzPerMegahertz * megahertz : 0;
}

double Clocks::sm_hertz(const std::string& bus) const {
  return sm_hertz(bus, "nvmlDeviceGetClockInfo");
}

double Clocks::highest_sm_hertz(const std::string& bus) const {
  return sm_hertz(bus, "nvmlDeviceGetMaxClockInfo");
}

std::string Clocks::driver() const {
  auto* version = find<DriverVersion>("nvmlSystemGetDriverVersion");
  char text[96] = {};
  return version && version(text, sizeof text) == kSuccess ? text : "";
}

}  // namespace cpbench
