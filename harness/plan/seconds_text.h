// A number of seconds in an error message: 0.3 -> "0.3 s".
#pragma once

#include <cstdio>
#include <string>

namespace cpbench {

inline std::string seconds_text(double seconds) {
  char text[32];
  std::snprintf(text, sizeof text, "%g s", seconds);
  return text;
}

}  // namespace cpbench
