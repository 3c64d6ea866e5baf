#include "methods/flashcp/heuristic.h"

#include <utility>

#include "harness/strategy/order.h"
#include "methods/flashcp/per_doc.h"
#include "methods/flashcp/whole_doc.h"

namespace cpbench::flashcp {
namespace {

// Where no document may be Per-Doc and no placement is within the ratio, the ratio grows by this
// factor until there is one.
constexpr double kRatioStep = 1.05;

}  // namespace

Shards place(const std::vector<int64_t>& documents, int32_t ranks, const Visibility& sees,
             const HeuristicOptions& options) {
  const std::vector<int32_t> order =
      largest_first(documents.size(), [&](int32_t i) { return documents[i]; });
  Shards shards;
  if (options.mode != Mode::per_doc) {
    int64_t total_work = 0;
    for (int64_t document : documents) total_work += sees.work({0, document}, document);
    WholeDocPlacer whole_doc(documents, order, ranks, sees);
    for (double ratio = options.ratio;; ratio *= kRatioStep) {
      const auto limit = static_cast<int64_t>(ratio * static_cast<double>(total_work) / ranks);
      const bool hybrid = options.mode == Mode::hybrid;
      if (whole_doc.place(limit, hybrid, shards)) return normal_form(std::move(shards));
      if (hybrid) break;
    }
  }
  PerDocCutter cutter(ranks, options.rotate);
  for (const int32_t document : order) {
    cutter.cut(documents[document], [&](Range chunk, int32_t rank) {
      shards.push_back({document, chunk.begin, chunk.end, rank});
    });
  }
  return normal_form(std::move(shards));
}

}  // namespace cpbench::flashcp
