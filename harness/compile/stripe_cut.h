// Token sets that deal all tokens in turn, as striped attention does: of N sets, set r has every
// token whose number is r modulo N. Of a document, the queries of one set see a triangle of another
// set's keys: query after query one key more. How many there are depends on two numbers, the length
// of the document and the remainder of its first token, so they are counted for many documents at a
// time and not listed.
//
//   const auto cut = StripeCut::of(mask, sets, {stripe 0, stripe 1, ...}, full);
//   if (cut) cut->for_each_block(1, 0, [&](int32_t queries, int32_t keys, int64_t documents) {
//     ...   // in so many documents, so many queries of set 1 see so many keys of set 0
//   });
//
// How: documents of one class have m * N to m * N + N - 1 tokens, so each has m or m + 1 tokens of
// a set. A bit mask by set says which have m + 1. The documents of a class are sorted by the
// remainder of their first token, so those in which set i comes before set j are a range of the
// mask.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "harness/plan/mask.h"
#include "harness/plan/range_sets.h"

namespace cpbench {

class StripeCut {
 public:
  // Nothing if the members are not such sets. `full`: queries see their whole document, and not
  // only the tokens up to their own.
  static std::optional<StripeCut> of(const MaskIndex& mask, const RangeSets& sets,
                                     const std::vector<SetId>& members, bool full);

  // Calls visit(queries, keys, documents) for blocks of that many queries and keys; both are
  // indices of members. Unless it is full, query i of a block sees its keys 0..i. The same numbers
  // may come several times.
  template <typename Visit>
  void for_each_block(int32_t queries, int32_t keys, const Visit& visit) const;

 private:
  struct Class {
    int64_t tokens = 0;  // m: of a set in each document, at least
    int32_t documents = 0;
    size_t first_word = 0;        // of its bits in each mask; one bit of its last word is free
    std::vector<int32_t> before;  // by remainder r: documents whose first token has less than r
  };
  // The documents of a class.
  struct Documents {
    int32_t begin = 0;
    int32_t end = 0;
  };

  // Those in which a token of remainder `keys` comes before the first one of `queries`, or both are
  // the same: two ranges, of which one may be empty.
  static std::array<Documents, 2> seeing(const Class& some, int32_t queries, int32_t keys) {
    // After a first token of remainder s, remainder r comes (r - s) modulo N tokens later.
    const int32_t q = some.before[queries + 1], k = some.before[keys + 1];
    if (keys > queries) return {{{q, k}, {}}};
    return {{{0, k}, {q, some.documents}}};
  }
  // How many of the first `documents` of a class have m + 1 tokens of that remainder.
  int64_t with_more(const Class& some, int32_t remainder, int32_t documents) const;
  int64_t with_more(const Class& some, int32_t remainder, Documents of) const {
    return with_more(some, remainder, of.end) - with_more(some, remainder, of.begin);
  }
  int64_t both_with_more(const Class& some, int32_t a, int32_t b) const;
  size_t word(const Class& some, int32_t remainder) const {
    return remainder * words_ + some.first_word;
  }

  bool full_ = false;
  std::vector<int32_t> remainder_;  // by member
  std::vector<Class> classes_;
  size_t words_ = 0;             // of one mask
  std::vector<uint64_t> masks_;  // by remainder, then by class: documents with m + 1 tokens
  std::vector<int32_t> before_;  // by word: bits that are set before it in its class
};

template <typename Visit>
void StripeCut::for_each_block(int32_t queries, int32_t keys, const Visit& visit) const {
  const int32_t q = remainder_[queries], k = remainder_[keys];
  const auto block = [&](int64_t q_tokens, int64_t k_tokens, int64_t documents) {
    if (q_tokens > 0 && k_tokens > 0 && documents > 0) {
      visit(static_cast<int32_t>(q_tokens), static_cast<int32_t>(k_tokens), documents);
    }
  };
  for (const Class& some : classes_) {
    const int64_t m = some.tokens, all = some.documents;
    const int64_t more = with_more(some, q, some.documents);
    if (full_) {
      const int64_t more_keys = with_more(some, k, some.documents);
      const int64_t both = both_with_more(some, q, k);
      block(m + 1, m + 1, both);
      block(m + 1, m, more - both);
      block(m, m + 1, more_keys - both);
      block(m, m, all - more - more_keys + both);
      continue;
    }
    // Where the first query comes before the first key, it sees nothing.
    int64_t see = 0, more_see = 0;
    for (const Documents& some_see : seeing(some, q, k)) {
      see += some_see.end - some_see.begin;
      more_see += with_more(some, q, some_see);
    }
    block(m + 1, m + 1, more_see);
    block(m, m, see - more_see + more - more_see);
    block(m - 1, m - 1, all - see - (more - more_see));
  }
}

}  // namespace cpbench
