#include "harness/run/room.h"

#include <fmt/format.h>

#include <fstream>

namespace cpbench {

std::string no_room(const ExpectedCost& cost, int64_t free_bytes) {
  if (free_bytes == 0 || cost.bytes <= static_cast<double>(free_bytes)) return "";
  return fmt::format(
      "simulating it needs about {:.3g} GB of memory and takes about {:.2g} min, and {:.3g} GB are "
      "free",
      cost.bytes / 1e9, cost.seconds / 60, static_cast<double>(free_bytes) / 1e9);
}

int64_t free_memory_bytes() {
  std::ifstream file("/proc/meminfo");  // lines such as "MemAvailable:   20478000 kB"
  std::string key, unit;
  for (int64_t kib = 0; file >> key >> kib && std::getline(file, unit);) {
    if (key == "MemAvailable:") return kib << 10;
  }
  return 0;
}

}  // namespace cpbench
