#include "methods/flashcp/whole_doc.h"

#include <algorithm>
#include <functional>

namespace cpbench::flashcp {

WholeDocPlacer::WholeDocPlacer(const std::vector<int64_t>& documents, int32_t ranks,
                               const Visibility& sees)
    : documents_(documents), ranks_(ranks), sees_(sees), whole_(ranks), room_(ranks) {
  document_work_.reserve(documents.size());
  for (int64_t tokens : documents) document_work_.push_back(sees.work({0, tokens}, tokens));
}

bool WholeDocPlacer::place(std::span<const int32_t> longest_first, std::span<const int64_t> budget,
                           std::vector<int64_t>& work, int64_t work_limit) {
  pieces_.clear();
  for (auto& documents : whole_) documents.clear();
  room_.assign(budget.begin(), budget.end());
  give_to_least_work(longest_first, work);

  std::vector<int32_t> full;
  open_.clear();
  for (int32_t rank = 0; rank < ranks_; ++rank) {
    if (room_[rank] < 0) full.push_back(rank);
    if (room_[rank] > 0) open_.push_back(rank);
    // From here on, only ranks with too many tokens lose work.
    if (room_[rank] >= 0 && work[rank] > work_limit) return false;
  }
  // Pieces go only where there is room, so the excess of the ranks that follow does not change. One
  // pass from the largest excess down is therefore the paper's loop.
  std::stable_sort(full.begin(), full.end(),
                   [&](int32_t a, int32_t b) { return room_[a] < room_[b]; });
  for (int32_t rank : full) {
    take_excess(rank, work);
    if (work[rank] > work_limit) return false;
    if (room_[rank] > 0) open_.insert(std::lower_bound(open_.begin(), open_.end(), rank), rank);
    for (int32_t document : taken_) {
      if (!put_back({document, 0, documents_[document], -1}, work, work_limit)) return false;
    }
  }
  return true;
}

void WholeDocPlacer::give_to_least_work(std::span<const int32_t> longest_first,
                                        std::vector<int64_t>& work) {
  least_work_.clear();
  for (int32_t rank = 0; rank < ranks_; ++rank) least_work_.emplace_back(work[rank], rank);
  std::make_heap(least_work_.begin(), least_work_.end(), std::greater<>());
  for (int32_t document : longest_first) {
    std::pop_heap(least_work_.begin(), least_work_.end(), std::greater<>());
    auto& [rank_work, rank] = least_work_.back();
    rank_work += document_work_[document];
    whole_[rank].push_back(document);
    room_[rank] -= documents_[document];
    work[rank] = rank_work;
    std::push_heap(least_work_.begin(), least_work_.end(), std::greater<>());
  }
}

// Takes documents off the rank until it no longer has too many tokens: each time the longest
// document that is no longer than the excess, else the shortest.
void WholeDocPlacer::take_excess(int32_t rank, std::vector<int64_t>& work) {
  taken_.clear();
  auto& documents = whole_[rank];
  while (room_[rank] < 0) {
    auto document = std::partition_point(
        documents.begin(), documents.end(),
        [&](int32_t candidate) { return documents_[candidate] > -room_[rank]; });
    if (document == documents.end()) --document;
    taken_.push_back(*document);
    room_[rank] += documents_[*document];
    work[rank] -= document_work_[*document];
    documents.erase(document);
  }
  // The excess decreases, so only the last document can be longer than those before it.
  std::stable_sort(taken_.begin(), taken_.end(),
                   [&](int32_t a, int32_t b) { return documents_[a] > documents_[b]; });
}

// Puts the piece on the rank with the least work that has room for all of it. If there is none, its
// head fills the rank with the least room, and the search continues for its tail. (A tail is never
// sent.)
bool WholeDocPlacer::put_back(Shard piece, std::vector<int64_t>& work, int64_t work_limit) {
  while (piece.tokens() > 0) {
    auto fits = open_.end();
    auto tightest = open_.begin();
    for (auto rank = open_.begin(); rank != open_.end(); ++rank) {
      if (room_[*rank] < room_[*tightest]) tightest = rank;
      if (room_[*rank] >= piece.tokens() && (fits == open_.end() || work[*rank] < work[*fits])) {
        fits = rank;
      }
    }
    const auto to = fits != open_.end() ? fits : tightest;
    const int32_t rank = *to;
    const int64_t end = std::min(piece.end, piece.begin + room_[rank]);
    pieces_.push_back({piece.document, piece.begin, end, rank});
    work[rank] += sees_.work({piece.begin, end}, documents_[piece.document]);
    room_[rank] -= end - piece.begin;
    if (room_[rank] == 0) open_.erase(to);
    piece.begin = end;
    if (work[rank] > work_limit) return false;
  }
  return true;
}

void WholeDocPlacer::append_to(Shards& shards) const {
  for (int32_t rank = 0; rank < ranks_; ++rank) {
    for (int32_t document : whole_[rank]) {
      shards.push_back({document, 0, documents_[document], rank});
    }
  }
  shards.insert(shards.end(), pieces_.begin(), pieces_.end());
}

}  // namespace cpbench::flashcp
