// Declares the few functions of nvml.h that are used here, because a CUDA toolkit may lack the
// header.
#include "harness/execute_cuda/clocks.h"

#include <dlfcn.h>

namespace cpbench {
namespace {

constexpr int kSuccess = 0;
constexpr int kSmClock = 1;  // NVML_CLOCK_SM
constexpr double kHertzPerMegahertz = 1e6;

struct Slowdown {
  uint64_t bit;
  const char* text;
};
// Those of nvmlClocksEventReasons that slow a busy GPU down by themselves.
constexpr Slowdown kSlowdowns[] = {
    {0x04, "power cap"},       {0x08, "hardware"},        {0x10, "synchronised with a slower GPU"},
    {0x20, "heat (software)"}, {0x40, "heat (hardware)"}, {0x80, "power brake"}};

using Init = int();
using Shutdown = int();
using HandleByBus = int(const char* bus, void** device);
using ClockInfo = int(void* device, int type, unsigned* megahertz);
using Power = int(void* device, unsigned* milliwatts);
using Reasons = int(void* device, unsigned long long* reasons);
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

void* Clocks::device(const std::string& bus) const {
  auto* by_bus = find<HandleByBus>("nvmlDeviceGetHandleByPciBusId_v2");
  void* device = nullptr;
  return by_bus && by_bus(bus.c_str(), &device) == kSuccess ? device : nullptr;
}

double Clocks::sm_hertz(const std::string& bus, const char* function) const {
  auto* info = find<ClockInfo>(function);
  void* gpu = device(bus);
  unsigned megahertz = 0;
  const bool known = info && gpu && info(gpu, kSmClock, &megahertz) == kSuccess;
  return known ? kHertzPerMegahertz * megahertz : 0;
}

double Clocks::watts(const std::string& bus) const {
  auto* power = find<Power>("nvmlDeviceGetPowerUsage");
  void* gpu = device(bus);
  unsigned milliwatts = 0;
  return power && gpu && power(gpu, &milliwatts) == kSuccess ? 1e-3 * milliwatts : 0;
}

uint64_t Clocks::slowdowns(const std::string& bus) const {
  auto* reasons = find<Reasons>("nvmlDeviceGetCurrentClocksEventReasons");
  // Its name in older drivers.
  if (!reasons) reasons = find<Reasons>("nvmlDeviceGetCurrentClocksThrottleReasons");
  void* gpu = device(bus);
  unsigned long long bits = 0;
  if (!reasons || !gpu || reasons(gpu, &bits) != kSuccess) return 0;
  uint64_t known = 0;
  for (const Slowdown& slowdown : kSlowdowns) known |= slowdown.bit;
  return bits & known;
}

std::string slowdowns_text(uint64_t slowdowns) {
  std::string text;
  for (const Slowdown& slowdown : kSlowdowns) {
    if ((slowdowns & slowdown.bit) == 0) continue;
    text += (text.empty() ? "" : ", ") + std::string(slowdown.text);
  }
  return text.empty() ? "none" : text;
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
