// Whole-Doc placement: documents stay whole on one rank, and several are cut together where that
// is needed for equal tokens and even work. The last part of a cut document stays on one rank and
// is never sent; its head is dealt to all ranks (see deal.h).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "methods/flashcp/deal.h"
#include "methods/flashcp/shards.h"

namespace cpbench::flashcp {

class WholeDocPlacer {
 public:
  // `longest_first` has the indices of all documents.
  WholeDocPlacer(const std::vector<int64_t>& documents, std::span<const int32_t> longest_first,
                 int32_t ranks, const Visibility& sees, Dealing dealing);

  // Searches for a placement that keeps the work of every rank within `work_limit` and deals few
  // tokens to a rank. With `allow_per_doc` it also tries to deal all of the longest documents.
  // Every rank gets floor(T/N) or ceil(T/N) tokens. Returns false if it finds none, and otherwise
  // sets `placement` to its shards, in no particular order.
  bool place(int64_t work_limit, bool allow_per_doc, Shards& placement);

 private:
  int64_t attempt(size_t per_doc, int64_t target, int64_t work_limit, Shards& placement);
  bool pack(size_t per_doc, int64_t target, int64_t work_cap, int64_t work_limit);
  int64_t room_for(int64_t document_tokens, int32_t rank, int64_t target) const;
  void keep(int32_t document, int32_t rank, int64_t tokens);
  void keep_by_work(int32_t document, int64_t target, int64_t work_cap);
  void keep_by_room(std::span<const int32_t> longest_first, int64_t target);

  const std::vector<int64_t>& documents_;
  std::span<const int32_t> longest_first_;
  int32_t ranks_;
  const Visibility& sees_;
  Dealing dealing_;
  int64_t tokens_ = 0, total_work_ = 0;
  std::vector<int64_t> document_work_;
  size_t dense_ = 0;  // the first documents, which have more than the mean work per token

  int64_t fewest_dealt_ = 0;   // the most tokens dealt to a rank, in the best placement so far
  std::vector<int64_t> room_;  // tokens per rank
  std::vector<int64_t> work_;  // per rank
  int64_t head_tokens_ = 0;
  bool capped_ = false;  // whether a larger cap of work would change the last packing
  std::vector<Head> heads_;
  Shards shards_;
  std::vector<std::pair<int64_t, int32_t>> most_room_;  // a heap of (tokens, -rank)
};

}  // namespace cpbench::flashcp
