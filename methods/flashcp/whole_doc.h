// Whole-Doc placement: documents stay whole on one rank, and are cut only where ranks would own
// more tokens than their budget.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "methods/flashcp/shards.h"

namespace cpbench::flashcp {

// Keeps its buffers, because the heuristic places anew for every document it moves to Per-Doc.
class WholeDocPlacer {
 public:
  WholeDocPlacer(const std::vector<int64_t>& documents, int32_t ranks, const Visibility& sees);

  // Places `longest_first` (document indices). `budget`: tokens that each rank has room for; their
  // sum is that of the documents. `work`: what each rank has to do already; the new work is added.
  // Returns false, with the placement unfinished, as soon as some rank must exceed `work_limit`.
  bool place(std::span<const int32_t> longest_first, std::span<const int64_t> budget,
             std::vector<int64_t>& work, int64_t work_limit);
  // The shards of the last call, if it returned true. In no order.
  void append_to(Shards& shards) const;

 private:
  void give_to_least_work(std::span<const int32_t> longest_first, std::vector<int64_t>& work);
  void take_excess(int32_t rank, std::vector<int64_t>& work);
  bool put_back(Shard piece, std::vector<int64_t>& work, int64_t work_limit);

  const std::vector<int64_t>& documents_;
  int32_t ranks_;
  const Visibility& sees_;
  std::vector<int64_t> document_work_;
  std::vector<std::vector<int32_t>> whole_;              // per rank, longest first
  std::vector<int64_t> room_;                            // per rank, tokens; negative: too many
  std::vector<int32_t> open_;                            // ranks with room
  std::vector<int32_t> taken_;                           // documents, longest first
  Shards pieces_;                                        // of documents that were taken off a rank
  std::vector<std::pair<int64_t, int32_t>> least_work_;  // a heap
};

}  // namespace cpbench::flashcp
