// Whole-Doc placement: documents stay whole on one rank, and are cut only where a rank would own
// more tokens than its budget.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "methods/flashcp/shards.h"

namespace cpbench::flashcp {

// Keeps its buffers, because the heuristic places the documents again each time it makes one
// Per-Doc.
class WholeDocPlacer {
 public:
  WholeDocPlacer(const std::vector<int64_t>& documents, int32_t ranks, const Visibility& sees);

  // Places the documents `longest_first` (indices). `budget` has the tokens that each rank has room
  // for, which sum to those of the documents. `work` has the work that each rank has already; the
  // new work is added to it. Returns false, with the placement unfinished, as soon as some rank
  // must exceed `work_limit`.
  bool place(std::span<const int32_t> longest_first, std::span<const int64_t> budget,
             std::vector<int64_t>& work, int64_t work_limit);
  // Appends the shards of the last call, which must have returned true, in no particular order.
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
  std::vector<int64_t> room_;                            // tokens per rank; negative: too many
  std::vector<int32_t> open_;                            // ranks with room, ascending
  std::vector<int32_t> taken_;                           // documents, longest first
  Shards pieces_;                                        // of documents taken off a rank
  std::vector<std::pair<int64_t, int32_t>> least_work_;  // a heap
};

}  // namespace cpbench::flashcp
