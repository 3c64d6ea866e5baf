// Numbers as people read them: three digits and a unit. Programs get full precision: json_number.h.
#pragma once

#include <string>

namespace cpbench {

std::string short_number(double value);     // "12.3M"
std::string short_seconds(double seconds);  // "82 us"
std::string short_bytes(double bytes);      // "1.4 GB"
std::string percent(double share);          // "12.3%"
std::string times(double ratio);            // "1.23x"

// A value of the unit of a metric: "82 us", "1.4 GB", "3.2 TFLOP"; "1.234" for "1", a ratio or a
// count; other units follow the number.
std::string with_unit(double value, const std::string& unit);

}  // namespace cpbench
