// A number as JSON: whole numbers have no point, and what JSON cannot express is null.
#pragma once

#include <cmath>
#include <nlohmann/json.hpp>

namespace cpbench {

inline nlohmann::ordered_json json_number(double value) {
  if (!std::isfinite(value)) return nullptr;
  constexpr double kExact = 9007199254740992.0;  // 2^53: integers up to here are exact
  if (value == std::floor(value) && std::abs(value) <= kExact) return static_cast<int64_t>(value);
  return value;
}

}  // namespace cpbench
