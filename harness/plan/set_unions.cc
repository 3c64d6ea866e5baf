#include "harness/plan/set_unions.h"

#include <algorithm>

#include "harness/plan/pieces.h"

namespace cpbench {
namespace {

class Merger {
 public:
  void add(Range r) {
    if (r.begin < reached_) extend(doubled_, {r.begin, std::min(r.end, reached_)});
    if (r.begin <= reached_ && !united_.empty()) {
      united_.back().end = std::max(united_.back().end, r.end);
    } else {
      united_.push_back(r);
    }
    reached_ = std::max(reached_, r.end);
  }
  SetUnions::Union finish() { return {std::move(united_), std::move(doubled_)}; }

 private:
  int64_t reached_ = -1;  // the end of the union so far
  Ranges united_;
  Ranges doubled_;
};

}  // namespace

SetUnions::Union SetUnions::made(const std::vector<SetId>& list) const {
  Merger merger;
  for_each_piece(sets_, list, [&](const Piece& piece) { merger.add(piece.range); });
  return merger.finish();
}

const SetClusters& SetUnions::clusters() {
  if (!clusters_) clusters_ = std::make_unique<SetClusters>(sets_);
  return *clusters_;
}

const SetUnions::Union& SetUnions::of(std::vector<SetId> list) {
  if (!std::is_sorted(list.begin(), list.end())) std::sort(list.begin(), list.end());
  uint64_t hash = 0x9ae16a3b2f90404fULL;
  for (SetId id : list) hash = (hash ^ static_cast<uint64_t>(id)) * 0x100000001b3ULL ^ (hash >> 31);
  auto [begin, end] = known_.equal_range(hash);
  for (auto it = begin; it != end; ++it) {
    if (it->second.first == list) return *it->second.second;
  }
  auto united = std::make_unique<Union>(made(list));
  auto it = known_.emplace(hash, std::make_pair(std::move(list), std::move(united)));
  return *it->second.second;
}

}  // namespace cpbench
