// Reads the clocks of GPUs from the driver's management library (NVML), which comes with the driver
// and is loaded here. Without it clocks are unknown, and nothing else changes.
//
//   const Clocks clocks;
//   clocks.sm_hertz("0000:01:00.0")
#pragma once

#include <cstdint>
#include <string>

namespace cpbench {

class Clocks {
 public:
  Clocks();
  ~Clocks();
  Clocks(const Clocks&) = delete;
  Clocks& operator=(const Clocks&) = delete;

  bool known() const { return library_ != nullptr; }
  // The current clock of the SMs of the GPU with this PCI address; 0: unknown.
  double sm_hertz(const std::string& bus) const;
  // The highest clock that the SMs reach under load without throttling; 0: unknown.
  double highest_sm_hertz(const std::string& bus) const;
  std::string driver() const;  // "580.159.04"; empty if unknown

 private:
  template <typename Function>
  Function* find(const char* name) const;
  double sm_hertz(const std::string& bus, const char* function) const;

  void* library_ = nullptr;
};

}  // namespace cpbench
