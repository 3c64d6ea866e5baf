// What the driver's management library (NVML) says of a GPU's clock. It comes with the driver and
// is loaded here; without it clocks are unknown, and nothing else changes.
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
  // Of the SMs now, of the GPU with this PCI address; 0: unknown.
  double sm_hertz(const std::string& bus) const;
  // The highest that the SMs reach under load where nothing holds them back; 0: unknown.
  double highest_sm_hertz(const std::string& bus) const;
  std::string driver() const;  // "580.159.04", "" if unknown

 private:
  template <typename Function>
  Function* find(const char* name) const;
  void* handle(const std::string& bus) const;

  void* library_ = nullptr;
};

}  // namespace cpbench
