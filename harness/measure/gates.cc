#include "harness/measure/gates.h"

#include <cstdint>
#include <cstdio>
#include <numeric>
#include <string>

#include "harness/measure/metrics.h"
#include "harness/plan/mask.h"

namespace cpbench {

namespace {

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", value);
  return text;
}

// Whether some query and some key that it sees have different homes.
bool splits_a_document(const PackResult& pack) {
  const MaskIndex mask(pack.batch);
  for (const SetId id : pack.plan.home) {
    const RangeSpan home = pack.plan.token_sets[id];
    if (!contains_all(home, mask.keys_seen(home))) return true;
  }
  return false;
}

std::string pack_name(const Result& result, size_t index) {
  return result.packs.size() > 1 ? " of pack " + std::to_string(index) : "";
}

std::string accuracy_text(const Accuracy& a) {
  if (!(a.max_error_output <= a.tolerance_output)) {
    return "output error " + number(a.max_error_output) + " exceeds " + number(a.tolerance_output);
  }
  return "gradient error " + number(a.max_error_gradient) + " exceeds " +
         number(a.tolerance_gradient);
}

}  // namespace

std::string failed_gate(const Result& result) {
  const auto module_mfu = metric_value(result, "module_mfu");
  const auto mfu = module_mfu ? module_mfu : metric_value(result, "mfu");
  if (mfu && !(*mfu <= 1)) {
    return "G1: MFU " + number(*mfu) +
           " exceeds 1: part of the work was not done, or the peak of " +
           number(result.peak_flops_per_second) + " FLOP/s is wrong";
  }
  for (size_t i = 0; i < result.packs.size(); ++i) {
    const PackResult& pack = result.packs[i];
    const int64_t planned = pack.summary.forward.wire_bytes + pack.summary.backward.wire_bytes;
    if (planned == 0 && splits_a_document(pack)) {
      return "G2: a document" + pack_name(result, i) + " is split over ranks, but no bytes travel";
    }
    const Timeline& timeline = pack.timeline;
    if (timeline.iterations == 0) continue;
    const int64_t counted =
        std::accumulate(timeline.bytes_sent.begin(), timeline.bytes_sent.end(), int64_t{0});
    if (counted != planned) {
      return "G3: counted " + std::to_string(counted) + " bytes" + pack_name(result, i) +
             ", but planned " + std::to_string(planned);
    }
    if (!timeline.accuracy.ok()) {
      return "G4: " + accuracy_text(timeline.accuracy) + pack_name(result, i);
    }
  }
  return "";
}

}  // namespace cpbench
