#include "methods/flashcp/whole_doc.h"

#include <algorithm>

namespace cpbench::flashcp {
namespace {

// Documents with much work are kept up to these parts of the limit. The rest is for documents with
// little work and for dealt tokens, and how much those need is not known in advance.
constexpr double kWorkCaps[] = {0.45, 0.6, 0.75, 0.9};
// A document of at most this part of the target may use the room that is kept for dealt tokens: it
// fills gaps, and the room stays even.
constexpr int64_t kSmallPart = 4;
// The search ends when the target is known to this part of a rank's tokens.
constexpr int64_t kTargetSteps = 32;
// From one attempt to the next, the number of Per-Doc documents grows by 1 and this part of it, so
// that there are few attempts on many ranks.
constexpr size_t kPerDocSteps = 4;

}  // namespace

WholeDocPlacer::WholeDocPlacer(const std::vector<int64_t>& documents,
                               std::span<const int32_t> longest_first, int32_t ranks,
                               const Visibility& sees, Dealing dealing)
    : documents_(documents),
      longest_first_(longest_first),
      ranks_(ranks),
      sees_(sees),
      dealing_(dealing) {
  document_work_.reserve(documents.size());
  for (int64_t tokens : documents) {
    tokens_ += tokens;
    document_work_.push_back(sees.work({0, tokens}, tokens));
    total_work_ += document_work_.back();
  }
  dense_ = std::partition_point(longest_first.begin(), longest_first.end(),
                                [&](int32_t i) {
                                  return document_work_[i] / documents[i] > total_work_ / tokens_;
                                }) -
           longest_first.begin();
}

// The larger the target, the more tokens may be dealt, and the better the work can be balanced. So
// this first searches for the smallest target with a placement within the limit. Then it makes the
// longest documents Per-Doc, as many as can still lead to fewer dealt tokens.
bool WholeDocPlacer::place(int64_t work_limit, bool allow_per_doc, Shards& placement) {
  const int64_t share = (tokens_ + ranks_ - 1) / ranks_;
  const int64_t none = share + 1;
  fewest_dealt_ = none;
  // Without a target, documents are cut for their work alone. No placement deals much less than
  // that.
  const int64_t mean_dealt = attempt(0, 0, work_limit, placement) / ranks_;
  int64_t low = fewest_dealt_ < none ? mean_dealt : 0;
  int64_t high = fewest_dealt_;
  while (high - low > std::max<int64_t>(1, share / kTargetSteps)) {
    const int64_t target = (low + high) / 2;
    attempt(0, target, work_limit, placement);
    if (fewest_dealt_ > target) low = target;
    high = fewest_dealt_;
  }
  int64_t per_doc_tokens = 0;
  for (size_t documents = 0, next = 1; allow_per_doc && next <= longest_first_.size();
       next += 1 + documents / kPerDocSteps) {
    while (documents < next) per_doc_tokens += documents_[longest_first_[documents++]];
    const int64_t target = per_doc_tokens / ranks_;
    if (target >= fewest_dealt_) break;
    attempt(documents, target, work_limit, placement);
  }
  return fewest_dealt_ < none;
}

// Sets `placement` if this deals fewer tokens than the best placement so far. Returns the fewest
// tokens of heads for any cap.
int64_t WholeDocPlacer::attempt(size_t per_doc, int64_t target, int64_t work_limit,
                                Shards& placement) {
  int64_t fewest_head_tokens = tokens_;
  for (const double cap : kWorkCaps) {
    const auto work_cap = static_cast<int64_t>(cap * static_cast<double>(work_limit));
    if (pack(per_doc, target, work_cap, work_limit)) {
      const int64_t dealt = *std::max_element(room_.begin(), room_.end());
      if (dealt < fewest_dealt_ &&
          deal(documents_, sees_, heads_, room_, work_, work_limit, dealing_, shards_)) {
        fewest_dealt_ = dealt;
        placement.swap(shards_);
      }
    }
    fewest_head_tokens = std::min(fewest_head_tokens, head_tokens_);
    if (!capped_) break;
  }
  return fewest_head_tokens;
}

// Keeps documents and last parts of documents, so that each rank has room for about `target` more
// tokens, which will be dealt. Nothing is kept of the first `per_doc` documents. Returns false as
// soon as this cannot become the best placement.
bool WholeDocPlacer::pack(size_t per_doc, int64_t target, int64_t work_cap, int64_t work_limit) {
  room_.assign(ranks_, tokens_ / ranks_);
  for (int64_t rank = 0; rank < tokens_ % ranks_; ++rank) ++room_[rank];
  work_.assign(ranks_, 0);
  head_tokens_ = 0;
  heads_.clear();
  shards_.clear();
  const size_t dense = std::max(per_doc, dense_);
  for (const int32_t document : longest_first_.first(per_doc)) keep(document, 0, 0);
  for (const int32_t document : longest_first_.subspan(per_doc, dense - per_doc)) {
    keep_by_work(document, target, work_cap);
  }
  capped_ = heads_.size() > per_doc;
  if (head_tokens_ / ranks_ >= fewest_dealt_) return false;
  keep_by_room(longest_first_.subspan(dense), target);
  return *std::max_element(work_.begin(), work_.end()) <= work_limit;
}

// The tokens of a document that the rank can keep.
int64_t WholeDocPlacer::room_for(int64_t document_tokens, int32_t rank, int64_t target) const {
  const int64_t reserved = document_tokens <= target / kSmallPart ? 0 : target;
  return std::clamp<int64_t>(room_[rank] - reserved, 0, document_tokens);
}

// Keeps the last `tokens` of the document on the rank; the others will be dealt. Where queries see
// the whole document, the last part of a cut document travels too, so it is dealt like the others.
void WholeDocPlacer::keep(int32_t document, int32_t rank, int64_t tokens) {
  const int64_t end = documents_[document];
  if (tokens < end && sees_.mask() == Mask::document_full) tokens = 0;
  const int64_t begin = end - tokens;
  if (tokens > 0) {
    shards_.push_back({document, begin, end, rank});
    work_[rank] += begin == 0 ? document_work_[document] : sees_.work({begin, end}, end);
    room_[rank] -= tokens;
  }
  if (begin > 0) {
    heads_.push_back({document, {0, begin}});
    head_tokens_ += begin;
  }
}

// Keeps the document on the rank with the least work of those that can keep all of it. If there is
// none, the rank with the least work of those with room keeps as much as it can.
void WholeDocPlacer::keep_by_work(int32_t document, int64_t target, int64_t work_cap) {
  const int64_t tokens = documents_[document];
  int32_t for_all = -1, for_part = -1;
  for (int32_t rank = 0; rank < ranks_; ++rank) {
    const int64_t room = room_for(tokens, rank, target);
    if (room == 0) continue;
    const bool fits = room == tokens && work_[rank] + document_work_[document] <= work_cap;
    int32_t& best = fits ? for_all : for_part;
    if (best < 0 || work_[rank] < work_[best]) best = rank;
  }
  if (for_all >= 0) return keep(document, for_all, tokens);
  if (for_part < 0) return keep(document, 0, 0);
  int64_t kept = 0, too_many = room_for(tokens, for_part, target) + 1;
  while (too_many - kept > 1) {
    const int64_t middle = (kept + too_many) / 2;
    const int64_t work = work_[for_part] + sees_.work({tokens - middle, tokens}, tokens);
    (work <= work_cap ? kept : too_many) = middle;
  }
  keep(document, for_part, kept);
}

// Keeps each document on the rank with the most room.
void WholeDocPlacer::keep_by_room(std::span<const int32_t> longest_first, int64_t target) {
  most_room_.clear();
  for (int32_t rank = 0; rank < ranks_; ++rank) most_room_.emplace_back(room_[rank], -rank);
  std::make_heap(most_room_.begin(), most_room_.end());
  for (const int32_t document : longest_first) {
    std::pop_heap(most_room_.begin(), most_room_.end());
    auto& [room, negative_rank] = most_room_.back();
    const int32_t rank = -negative_rank;
    keep(document, rank, room_for(documents_[document], rank, target));
    room = room_[rank];
    std::push_heap(most_room_.begin(), most_room_.end());
  }
}

}  // namespace cpbench::flashcp
