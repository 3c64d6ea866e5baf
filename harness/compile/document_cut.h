// Token sets that cut every document in the same order, chunk after chunk, as zigzag's chunks i and
// 2N-1-i of each document, or that deal the tokens in turn (stripe_cut.h). What the queries of one
// set see of another set is then the same for all documents in which both have as many tokens, so
// it is counted and not listed: 64 documents at a time.
//
//   const auto cut = DocumentCut::of(mask, sets, {zigzag shard 0, zigzag shard 1, ...});
//   if (cut) cut->for_each_block(1, 0, 0, [&](int32_t queries, int32_t keys, int64_t documents) {
//     ...   // in so many documents, so many queries of shard 1 see so many keys of shard 0
//   });
//
// How, for chunks: they have one order that holds in every document. Queries of set A see those
// chunks of set B that come before them. If all chunks of A that see anything of B see the same
// chunks of B, they are one block of queries and keys in each document, and their sizes are sums
// over some of the last chunks of A and some of the first chunks of B. What A sees of itself is a
// triangle of all its chunks in each document. For each such sum, documents
// of like length have few different values, and each value has a bit mask of the documents with
// that value. Where every document of like length has some of both, their sums are known.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "harness/compile/stripe_cut.h"
#include "harness/plan/mask.h"
#include "harness/plan/range_sets.h"

namespace cpbench {

class DocumentCut {
 public:
  // Chunks of fewer documents are listed as fast.
  static constexpr int32_t kFewestDocuments = 64;

  // Nothing if the members are not such a cut, or if the mask is a window, or the whole pack in
  // chunks, or has cached tokens. Those of the disjoint `parts` that lie in one member each are
  // described too, if the cut is of chunks.
  static std::optional<DocumentCut> of(const MaskIndex& mask, const RangeSets& sets,
                                       std::vector<SetId> members,
                                       const std::vector<SetId>& parts = {},
                                       int32_t fewest_documents = kFewestDocuments);

  const std::vector<SetId>& members() const { return members_; }
  // The member that is the set or contains it, or -1.
  int32_t container(SetId set) const { return container_[set]; }
  // The index of a set that is a member, of one that is a member or a part; or -1.
  int32_t member(SetId set) const { return index_[set] < std::ssize(members_) ? index_[set] : -1; }
  int32_t index(SetId set) const { return index_[set]; }

  // Whether each document has at most one block of queries of one set and keys of another. Both
  // are members, which may be the same, or parts of different members.
  bool describes(int32_t queries, int32_t keys) const {
    return stripes_ || sums_of(queries, keys).has_value();
  }
  // Whether query i of a block sees its keys 0..i; otherwise it sees all of them.
  bool causal(int32_t queries, int32_t keys) const {
    return !full_ && (stripes_ || queries == keys);
  }
  struct Total {
    int64_t queries = 0;
    int64_t keys = 0;
    int64_t documents = 0;
    bool operator==(const Total&) const = default;
  };
  // Calls visit(queries, keys, documents) for blocks of that many queries and keys. The same
  // numbers may come several times. Blocks of at most `few` queries and keys are not visited; their
  // total is returned.
  template <typename Visit>
  Total for_each_block(int32_t queries, int32_t keys, int32_t few, const Visit& visit) const;
  Total total(int32_t queries, int32_t keys) const {  // of all blocks
    return for_each_block(queries, keys, std::numeric_limits<int32_t>::max(),
                          [](int32_t, int32_t, int64_t) {});
  }

 private:
  static constexpr size_t kMostChunks = 4;     // of a member in one document
  static constexpr int32_t kFewestAlike = 32;  // documents of like length that get bit masks

  // The documents of one class in which a sum has one value.
  struct Alike {
    int32_t document_class = 0;
    int32_t value = 0;
    std::vector<uint64_t> documents;  // a bit mask
  };
  // All values of a sum in one class: those of Sum::alike from `first` on, before `last`.
  struct Values {
    int32_t document_class = 0;
    int32_t first = 0;
    int32_t last = 0;
    int32_t largest = 0;
    int64_t documents = 0;  // in which the sum is not 0
    int64_t tokens = 0;     // the sum over them
  };
  // The number of tokens of some chunks of a member, by document; 0 is left out of `alike`.
  struct Sum {
    std::vector<Alike> alike;     // by class and value
    std::vector<Values> values;   // by class
    std::vector<int32_t> single;  // of the documents without a class
  };
  struct Member {
    std::vector<int32_t> chunks;         // ascending
    std::array<Sum, kMostChunks> last;   // of the chunks from that one on
    std::array<Sum, kMostChunks> first;  // of the chunks up to that one; that of all is last[0]
  };
  struct Sums {
    const Sum* queries;
    const Sum* keys;
  };
  class Builder;

  DocumentCut() = default;
  std::optional<Sums> sums_of(int32_t queries, int32_t keys) const;
  static const Sum kNothing;
  static int64_t common(const std::vector<uint64_t>& a, const std::vector<uint64_t>& b);

  bool full_ = false;  // whether queries see the whole document
  std::optional<StripeCut> stripes_;
  std::vector<SetId> members_;
  std::vector<int32_t> container_;  // by set
  std::vector<int32_t> index_;      // by set
  std::vector<Member> all_;         // by index: the members, then the parts; none of stripes
  std::vector<int64_t> documents_;  // by class
};

template <typename Visit>
DocumentCut::Total DocumentCut::for_each_block(int32_t queries, int32_t keys, int32_t few,
                                               const Visit& visit) const {
  Total total;
  const auto block = [&](int32_t q, int32_t k, int64_t documents) {
    if (q > few || k > few) return visit(q, k, documents);
    total.queries += q * documents;
    total.keys += k * documents;
    total.documents += documents;
  };
  if (stripes_) {
    stripes_->for_each_block(queries, keys, block);
    return total;
  }
  const std::optional<Sums> sums = sums_of(queries, keys);
  auto k = sums->keys->values.begin();
  const auto last = sums->keys->values.end();
  for (const Values& q : sums->queries->values) {
    while (k != last && k->document_class < q.document_class) ++k;
    if (k == last) break;
    if (k->document_class != q.document_class) continue;
    const int64_t all = documents_[q.document_class];
    if (q.documents == all && k->documents == all && std::max(q.largest, k->largest) <= few) {
      total.queries += q.tokens;
      total.keys += k->tokens;
      total.documents += all;
      continue;
    }
    for (int32_t i = q.first; i < q.last; ++i) {
      const Alike& some = sums->queries->alike[i];
      for (int32_t j = k->first; j < k->last; ++j) {
        const Alike& other = sums->keys->alike[j];
        const int64_t documents = common(some.documents, other.documents);
        if (documents > 0) block(some.value, other.value, documents);
      }
    }
  }
  const std::vector<int32_t>&single_q = sums->queries->single, &single_k = sums->keys->single;
  for (size_t i = 0; i < std::min(single_q.size(), single_k.size()); ++i) {
    if (single_q[i] > 0 && single_k[i] > 0) block(single_q[i], single_k[i], 1);
  }
  return total;
}

}  // namespace cpbench
