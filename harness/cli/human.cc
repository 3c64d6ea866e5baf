#include "harness/cli/human.h"

#include <fmt/format.h>

#include <cmath>
#include <utility>

namespace cpbench {
namespace {

// 999.5 already rounds to 1000, which is 1 of the next unit.
constexpr double kRoundsUp = 0.9995;

std::string prefixed(double value, const char* gap) {
  for (const auto& [unit, name] :
       {std::pair{1e15, "P"}, {1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e3, "k"}}) {
    if (std::abs(value) >= kRoundsUp * unit)
      return fmt::format("{:.3g}{}{}", value / unit, gap, name);
  }
  return fmt::format("{:.3g}{}", value, gap);
}

}  // namespace

std::string short_number(double value) { return prefixed(value, ""); }

std::string short_seconds(double seconds) {
  if (std::abs(seconds) >= 1000) return fmt::format("{:.0f} s", seconds);
  for (const auto& [unit, name] : {std::pair{1.0, "s"}, {1e-3, "ms"}}) {
    if (std::abs(seconds) >= kRoundsUp * unit)
      return fmt::format("{:.3g} {}", seconds / unit, name);
  }
  return std::isnan(seconds) ? "nan" : fmt::format("{:.3g} us", seconds * 1e6);
}

std::string short_bytes(double bytes) { return prefixed(bytes, " ") + "B"; }

std::string percent(double share) { return fmt::format("{:.1f}%", 100 * share); }

std::string times(double ratio) { return fmt::format("{:.2f}x", ratio); }

std::string with_unit(double value, const std::string& unit) {
  if (unit == "s") return short_seconds(value);
  if (unit == "bytes") return short_bytes(value);
  if (unit == "FLOP") return prefixed(value, " ") + unit;
  if (unit == "TFLOP/s") return prefixed(value * 1e12, " ") + "FLOP/s";
  const bool large = std::abs(value) >= 1e4;
  const std::string number = large ? short_number(value) : fmt::format("{:.4g}", value);
  return unit == "1" || unit.empty() ? number : number + " " + unit;
}

}  // namespace cpbench
