// Numbers and texts that JSON cannot express, as JSON.
#pragma once

#include <cmath>
#include <nlohmann/json.hpp>
#include <string>

namespace cpbench {

// Whole numbers have no point; infinity and NaN are null.
inline nlohmann::ordered_json json_number(double value) {
  if (!std::isfinite(value)) return nullptr;
  constexpr double kExact = 9007199254740992.0;  // 2^53: integers up to here are exact
  if (value == std::floor(value) && std::abs(value) <= kExact) return static_cast<int64_t>(value);
  return value;
}

// The document as text. Bytes that are not UTF-8, which names of files can have, are replaced.
inline std::string json_text(const nlohmann::ordered_json& document, int indent = -1) {
  return document.dump(indent, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace cpbench
