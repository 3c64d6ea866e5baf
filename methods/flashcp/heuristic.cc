#include "methods/flashcp/heuristic.h"

#include <optional>
#include <utility>

#include "harness/strategy/order.h"
#include "methods/flashcp/per_doc.h"
#include "methods/flashcp/whole_doc.h"

namespace cpbench::flashcp {
namespace {

// Where no document may be Per-Doc and no placement is within the ratio, the ratio grows by this
// factor until there is one.
constexpr double kRatioStep = 1.05;

// A placement within the ratio; nothing if there is none.
std::optional<Shards> within(double ratio, bool allow_per_doc, Dealing dealing,
                             const std::vector<int64_t>& documents,
                             const std::vector<int32_t>& order, int32_t ranks,
                             const Visibility& sees) {
  int64_t total_work = 0;
  for (int64_t document : documents) total_work += sees.work({0, document}, document);
  const auto limit = static_cast<int64_t>(ratio * static_cast<double>(total_work) / ranks);
  Shards shards;
  WholeDocPlacer whole_doc(documents, order, ranks, sees, dealing);
  if (!whole_doc.place(limit, allow_per_doc, shards)) return std::nullopt;
  return normal_form(std::move(shards));
}

}  // namespace

Shards place(const std::vector<int64_t>& documents, int32_t ranks, const Visibility& sees,
             const HeuristicOptions& options) {
  const std::vector<int32_t> order =
      largest_first(documents.size(), [&](int32_t i) { return documents[i]; });
  const bool hybrid = options.mode == Mode::hybrid;
  const auto best = [&](double ratio, Dealing dealing) {
    return within(ratio, hybrid, dealing, documents, order, ranks, sees);
  };
  for (double ratio = options.ratio; options.mode != Mode::per_doc; ratio *= kRatioStep) {
    std::optional<Shards> found = best(ratio, Dealing::both_ends);
    // Under a window, a cut costs the same wherever it is, so few cuts are best, if the work of
    // tokens differs little.
    if (sees.mask() == Mask::sliding_window) {
      const auto sent = [&](const Shards& shards) {
        return load_of(shards, documents, ranks, sees).padded_tokens();
      };
      std::optional<Shards> in_turn = best(ratio, Dealing::in_turn);
      if (in_turn && (!found || sent(*in_turn) < sent(*found))) found = std::move(in_turn);
    }
    if (found) return *std::move(found);
    if (hybrid) break;
  }
  Shards shards;
  PerDocCutter cutter(ranks, options.rotate);
  for (const int32_t document : order) {
    cutter.cut(documents[document], [&](Range chunk, int32_t rank) {
      shards.push_back({document, chunk.begin, chunk.end, rank});
    });
  }
  return normal_form(std::move(shards));
}

}  // namespace cpbench::flashcp
