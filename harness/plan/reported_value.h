// A number that a strategy reports about its plan, in addition to the metrics of every plan:
// {"groups", 5, ""}.
#pragma once

#include <string>

namespace cpbench {

struct ReportedValue {
  std::string name;
  double value = 0;
  std::string unit;  // "" for a count or a ratio

  bool operator==(const ReportedValue&) const = default;
};

}  // namespace cpbench
