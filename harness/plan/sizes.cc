#include "harness/plan/sizes.h"

#include <charconv>
#include <limits>

#include "harness/plan/errors.h"
#include "harness/plan/shown.h"

namespace cpbench {
namespace {
constexpr int64_t kKibi = 1024;
constexpr int64_t kMebi = kKibi * kKibi;
}  // namespace

int64_t parse_size(const std::string& text) {
  int64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  std::string suffix(end, text.data() + text.size());
  int64_t unit = suffix.empty()                   ? 1
                 : suffix == "K" || suffix == "k" ? kKibi
                 : suffix == "M" || suffix == "m" ? kMebi
                                                  : 0;
  if (error == std::errc::result_out_of_range ||
      (error == std::errc() && unit > 0 && value > std::numeric_limits<int64_t>::max() / unit)) {
    throw UserError("'" + shown(text) + "' is too large for a size");
  }
  if (error != std::errc() || unit == 0 || value < 0) {
    throw UserError("'" + shown(text) +
                    "' is not a valid size; write digits with an optional K or M, like 8192 or 8K");
  }
  return value * unit;
}

std::string size_text(int64_t value) {
  if (value >= kMebi && value % kMebi == 0) return std::to_string(value / kMebi) + "M";
  if (value >= kKibi && value % kKibi == 0) return std::to_string(value / kKibi) + "K";
  return std::to_string(value);
}

}  // namespace cpbench
