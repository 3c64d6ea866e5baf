#include "harness/execute/kernel.h"

#include <algorithm>

#include "harness/plan/errors.h"
#include "harness/plan/nearest.h"

namespace cpbench {

const std::vector<std::string>& kernel_names() {
  static const std::vector<std::string> names = {"fused", "reference"};
  return names;
}

std::unique_ptr<Kernel> make_kernel(const std::string& name) {
  if (name == "fused") return make_fused_kernel();
  if (name == "reference") return make_reference_kernel();
  throw UserError("kernel '" + name + "' is unknown; kernels are fused, reference");
}

Range visible_rows(const Segment& s, int64_t i) {
  switch (s.mask) {
    case SegmentMask::full:
      return {0, s.kv_rows};
    case SegmentMask::causal:
      return {0, std::clamp<int64_t>(i + s.kv_rows - s.q_rows + 1, 0, s.kv_rows)};
    case SegmentMask::band:
      break;
  }
  const int64_t begin = std::clamp<int64_t>(i + s.first, 0, s.kv_rows);
  return {begin, std::clamp<int64_t>(i + s.last + 1, begin, s.kv_rows)};
}

}  // namespace cpbench
