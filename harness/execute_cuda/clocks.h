// Reads clocks and power of GPUs from the driver's management library (NVML), which comes with the
// driver and is loaded here. Without it they are unknown, and nothing else changes.
//
//   const Clocks clocks;
//   clocks.sm_hertz("0000:01:00.0")
#pragma once

#include <cstdint>
#include <string>

namespace cpbench {

// "power cap, heat (hardware)"; "none".
std::string slowdowns_text(uint64_t slowdowns);

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
  double watts(const std::string& bus) const;  // 0: unknown
  // Why the clocks are not higher: bits of NVML, without those of an idle GPU and of clocks that
  // the user has chosen; 0: no reason, or unknown.
  uint64_t slowdowns(const std::string& bus) const;
  std::string driver() const;  // "580.159.04"; empty if unknown

 private:
  template <typename Function>
  Function* find(const char* name) const;
  double sm_hertz(const std::string& bus, const char* function) const;
  void* device(const std::string& bus) const;  // nullptr: unknown

  void* library_ = nullptr;
};

}  // namespace cpbench
