#include "harness/measure/result.h"

namespace cpbench {

template <>
std::span<const char* const> enum_names<Status>() {
  static constexpr const char* kStatuses[] = {"ok", "oom", "unsupported", "failed"};
  return kStatuses;
}

}  // namespace cpbench
