#include "harness/compile/stripe_cut.h"

#include <algorithm>
#include <bit>
#include <map>

namespace cpbench {
namespace {

constexpr int64_t kBits = 64;

// The remainder of all tokens of the set modulo `stride`; -1 if they are not all the tokens with
// one remainder.
int32_t remainder_of(RangeSpan set, int64_t stride, int64_t tokens) {
  if (set.empty() || set.front().begin >= stride || set.back().end + stride <= tokens) return -1;
  int64_t token = set.front().begin;
  for (const Range& range : set) {
    if (range.begin != token || range.size() != 1) return -1;
    token += stride;
  }
  return static_cast<int32_t>(set.front().begin);
}

}  // namespace

std::optional<StripeCut> StripeCut::of(const MaskIndex& mask, const RangeSets& sets,
                                       const std::vector<SetId>& members, bool full) {
  const auto stride = static_cast<int32_t>(members.size());
  StripeCut cut;
  cut.full_ = full;
  for (SetId member : members) {
    cut.remainder_.push_back(remainder_of(sets[member], stride, mask.tokens()));
    if (cut.remainder_.back() < 0) return std::nullopt;
  }
  std::map<int64_t, std::vector<int32_t>> by_tokens;  // documents
  for (int32_t d = 0; d < mask.documents(); ++d) {
    by_tokens[mask.document(d).size() / stride].push_back(d);
  }
  const auto first_of = [&](int32_t d) {
    return static_cast<int32_t>(mask.document(d).begin % stride);
  };
  for (auto& [tokens, documents] : by_tokens) {
    std::ranges::sort(documents, {}, first_of);
    Class added{.tokens = tokens,
                .documents = static_cast<int32_t>(documents.size()),
                .first_word = cut.words_,
                .before = std::vector<int32_t>(stride + 1)};
    for (int32_t d : documents) ++added.before[first_of(d) + 1];
    for (int32_t r = 0; r < stride; ++r) added.before[r + 1] += added.before[r];
    cut.words_ += documents.size() / kBits + 1;
    cut.classes_.push_back(std::move(added));
  }
  cut.masks_.resize(stride * cut.words_);
  cut.before_.resize(stride * cut.words_);
  for (const Class& some : cut.classes_) {
    const std::vector<int32_t>& documents = by_tokens[some.tokens];
    for (size_t i = 0; i < documents.size(); ++i) {
      const int64_t more = mask.document(documents[i]).size() % stride;
      for (int64_t at = 0; at < more; ++at) {
        const auto remainder = static_cast<int32_t>((first_of(documents[i]) + at) % stride);
        cut.masks_[cut.word(some, remainder) + i / kBits] |= uint64_t{1} << (i % kBits);
      }
    }
    for (int32_t r = 0; r < stride; ++r) {
      const size_t first = cut.word(some, r);
      for (size_t w = first; w < first + some.documents / kBits; ++w) {
        cut.before_[w + 1] = cut.before_[w] + std::popcount(cut.masks_[w]);
      }
    }
  }
  return cut;
}

int64_t StripeCut::with_more(const Class& some, int32_t remainder, int32_t documents) const {
  const size_t at = word(some, remainder) + documents / kBits;
  return before_[at] + std::popcount(masks_[at] & ((uint64_t{1} << (documents % kBits)) - 1));
}

int64_t StripeCut::both_with_more(const Class& some, int32_t a, int32_t b) const {
  int64_t both = 0;
  for (int64_t w = 0; w <= some.documents / kBits; ++w) {
    both += std::popcount(masks_[word(some, a) + w] & masks_[word(some, b) + w]);
  }
  return both;
}

}  // namespace cpbench
