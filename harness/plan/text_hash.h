// A 64-bit hash of a text (FNV-1a). It must never change, so that run ids and fingerprints in files
// keep their meaning on every platform.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>

namespace cpbench {

inline uint64_t hash_of_text(const std::string& text) {
  uint64_t hash = 0xcbf29ce484222325ULL;
  for (unsigned char c : text) hash = (hash ^ c) * 0x100000001b3ULL;
  return hash;
}

inline std::string hex16(uint64_t value) {
  char digits[17];
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(value));
  return digits;
}

}  // namespace cpbench
