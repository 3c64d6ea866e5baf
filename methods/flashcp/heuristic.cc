#include "methods/flashcp/heuristic.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "harness/strategy/order.h"
#include "methods/flashcp/per_doc.h"
#include "methods/flashcp/whole_doc.h"

namespace cpbench::flashcp {
namespace {

// Sets `budget` to what each rank's share of T tokens leaves besides its Per-Doc tokens. Both
// differ by at most one between ranks. The ranks with more Per-Doc tokens get the larger shares, so
// no budget is negative.
void set_budget(int64_t tokens, const std::vector<int64_t>& per_doc_tokens,
                std::vector<int64_t>& budget) {
  const auto ranks = static_cast<int64_t>(budget.size());
  int64_t larger_shares = tokens % ranks;
  for (size_t rank = 0; rank < budget.size(); ++rank) {
    budget[rank] = tokens / ranks - per_doc_tokens[rank];
  }
  const int64_t most = *std::max_element(per_doc_tokens.begin(), per_doc_tokens.end());
  for (const int64_t wanted : {most, most - 1}) {
    for (size_t rank = 0; rank < budget.size() && larger_shares > 0; ++rank) {
      if (per_doc_tokens[rank] != wanted) continue;
      ++budget[rank];
      --larger_shares;
    }
  }
}

}  // namespace

Shards place(const std::vector<int64_t>& documents, int32_t ranks, const Visibility& sees,
             const HeuristicOptions& options) {
  // 1. Sort the documents, longest first, and compute the limit of any rank's work.
  const std::vector<int32_t> order =
      largest_first(documents.size(), [&](int32_t i) { return documents[i]; });
  const int64_t tokens = std::accumulate(documents.begin(), documents.end(), int64_t{0});
  int64_t total_work = 0;
  for (int64_t document : documents) total_work += sees.work({0, document}, document);
  const auto limit = static_cast<int64_t>(options.ratio * static_cast<double>(total_work) / ranks);

  // 2. Place the documents. While the imbalance is too large, make the longest remaining document
  // Per-Doc.
  WholeDocPlacer whole_doc(documents, ranks, sees);
  PerDocCutter cutter(ranks, options.rotate);
  std::vector<int64_t> per_doc_tokens(ranks), per_doc_work(ranks), budget(ranks), work(ranks);
  size_t per_doc = 0;
  const auto move_to_per_doc = [&] {
    const int64_t document = documents[order[per_doc++]];
    cutter.cut(document, [&](Range chunk, int32_t rank) {
      per_doc_tokens[rank] += chunk.size();
      per_doc_work[rank] += sees.work(chunk, document);
    });
  };
  if (options.mode == Mode::per_doc) {
    while (per_doc < order.size()) move_to_per_doc();
  }
  for (;;) {
    set_budget(tokens, per_doc_tokens, budget);
    work = per_doc_work;
    const bool last = options.mode != Mode::hybrid || per_doc == order.size();
    const int64_t work_limit = last ? std::numeric_limits<int64_t>::max() : limit;
    if (whole_doc.place(std::span(order).subspan(per_doc), budget, work, work_limit)) break;
    move_to_per_doc();
  }

  // 3. Collect the shards of both kinds. Neighbours of one document on one rank become one shard.
  Shards shards;
  PerDocCutter again(ranks, options.rotate);
  for (size_t i = 0; i < per_doc; ++i) {
    again.cut(documents[order[i]], [&](Range chunk, int32_t rank) {
      shards.push_back({order[i], chunk.begin, chunk.end, rank});
    });
  }
  whole_doc.append_to(shards);
  return normal_form(std::move(shards));
}

}  // namespace cpbench::flashcp
