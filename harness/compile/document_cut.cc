// The pieces of all members are visited in the order of their tokens, some tokens at a time. The
// order of the chunks is that of the longest document that a member is in; every other document
// must have a part of these chunks, in this order.
#include "harness/compile/document_cut.h"

#include <algorithm>
#include <bit>
#include <map>

#include "harness/compile/containers.h"

namespace cpbench {
namespace {

constexpr int64_t kTokensAtATime = 1 << 20;
constexpr int64_t kBits = 64;
constexpr int32_t kMostOrders = 8;  // each looks at all members

int64_t count_common(const uint64_t* a, const uint64_t* b, size_t words) {
  int64_t count = 0;
  for (size_t w = 0; w < words; ++w) count += std::popcount(a[w] & b[w]);
  return count;
}

#if defined(__x86_64__) && defined(__GNUC__)
// The same, where the processor counts bits by itself, of one or of several words at a time.
__attribute__((target("popcnt"))) int64_t count_common_fast(const uint64_t* a, const uint64_t* b,
                                                            size_t words) {
  int64_t count = 0;
  for (size_t w = 0; w < words; ++w) count += __builtin_popcountll(a[w] & b[w]);
  return count;
}
__attribute__((target("avx512f,avx512vpopcntdq"), optimize("O3"))) int64_t
count_common_wide(const uint64_t* a, const uint64_t* b, size_t words) {
  int64_t count = 0;
  for (size_t w = 0; w < words; ++w) count += __builtin_popcountll(a[w] & b[w]);
  return count;
}
const bool kCountsBits = __builtin_cpu_supports("popcnt");
const bool kCountsWide = __builtin_cpu_supports("avx512vpopcntdq");
#endif

}  // namespace

const DocumentCut::Sum DocumentCut::kNothing;

int64_t DocumentCut::common(const std::vector<uint64_t>& a, const std::vector<uint64_t>& b) {
#if defined(__x86_64__) && defined(__GNUC__)
  if (kCountsWide) return count_common_wide(a.data(), b.data(), a.size());
  if (kCountsBits) return count_common_fast(a.data(), b.data(), a.size());
#endif
  return count_common(a.data(), b.data(), a.size());
}

class DocumentCut::Builder {
 public:
  Builder(const MaskIndex& mask, const RangeSets& sets, const std::vector<SetId>& parts,
          DocumentCut& cut)
      : mask_(mask), sets_(sets), parts_(parts), cut_(cut) {}

  bool build() {
    if (!order_chunks()) return false;
    sort_documents();
    add_parts();
    sizes_.resize(cut_.all_.size());
    if (!visit_pieces()) return false;
    for (Member& member : cut_.all_) {
      for (auto* sums : {&member.last, &member.first}) {
        for (Sum& sum : *sums) add_values(sum);
      }
    }
    return true;
  }

 private:
  RangeSpan tokens(int32_t member) const { return sets_[cut_.members_[member]]; }

  // ---- the order of the chunks

  bool order_chunks() {
    const auto members = static_cast<int32_t>(cut_.members_.size());
    cut_.all_.resize(members);
    int32_t orders = 0;
    for (int32_t m = 0; m < members; ++m) {
      if (!cut_.all_[m].chunks.empty()) continue;
      if (++orders > kMostOrders || !add_chunks_of(longest_document_of(m))) return false;
    }
    return true;
  }

  int32_t longest_document_of(int32_t member) const {
    int32_t longest = -1;
    mask_.for_each_document(tokens(member), [&](Range, int32_t document) {
      if (longest < 0 || mask_.document(document).size() > mask_.document(longest).size()) {
        longest = document;
      }
    });
    return longest;
  }

  // The chunks of a document follow all chunks so far. All of its members must be new.
  bool add_chunks_of(int32_t document) {
    const Range whole = mask_.document(document);
    std::map<int64_t, int32_t> member_at;  // by the first token of the chunk
    for (int32_t m = 0; m < std::ssize(cut_.all_); ++m) {
      const Ranges own = intersect(tokens(m), RangeSpan(&whole, 1));
      if (own.size() > kMostChunks || (!own.empty() && !cut_.all_[m].chunks.empty())) return false;
      for (const Range& chunk : own) member_at[chunk.begin] = m;
    }
    for (const auto& [begin, m] : member_at) cut_.all_[m].chunks.push_back(chunks_++);
    return true;
  }

  // ---- documents of like length

  // Documents that have as many tokens for each chunk, rounded down, are of one class.
  void sort_documents() {
    std::map<int64_t, std::vector<int32_t>> by_length;
    for (int32_t d = 0; d < mask_.documents(); ++d) {
      by_length[mask_.document(d).size() / chunks_].push_back(d);
    }
    class_of_.assign(mask_.documents(), -1);
    number_.resize(mask_.documents());
    for (const auto& [length, documents] : by_length) {
      const bool alike = std::ssize(documents) >= kFewestAlike;
      for (size_t i = 0; i < documents.size(); ++i) {
        if (alike) class_of_[documents[i]] = static_cast<int32_t>(class_words_.size());
        number_[documents[i]] = alike ? static_cast<int32_t>(i) : singles_++;
      }
      if (!alike) continue;
      class_words_.push_back((documents.size() + kBits - 1) / kBits);
      cut_.documents_.push_back(std::ssize(documents));
    }
  }

  // ---- the sizes of the chunks

  // Of one document.
  struct Piece {
    int32_t index = -1;  // of the member or part
    int32_t tokens = 0;
  };
  struct Cursor {
    int32_t index = 0;
    RangeSpan left;
    int64_t begin = 0;  // tokens before this one were visited
    int32_t document = 0;
  };

  // A part has the chunks of its member.
  void add_parts() {
    for (SetId set : parts_) {
      const int32_t member = cut_.container_[set];
      if (member < 0 || cut_.index_[set] >= 0) continue;
      cut_.index_[set] = static_cast<int32_t>(cut_.all_.size());
      cut_.all_.emplace_back();
      cut_.all_.back().chunks = cut_.all_[member].chunks;
      member_of_part_.push_back(member);
      part_cursors_.push_back({cut_.index_[set], sets_[set]});
    }
  }

  bool visit_pieces() {
    std::vector<Cursor> cursors;
    for (int32_t m = 0; m < std::ssize(cut_.members_); ++m) cursors.push_back({m, tokens(m)});
    std::vector<Piece> pieces, parts;  // by first token
    int64_t used = 0;                  // tokens before this one are in a piece
    for (int64_t from = 0; from < mask_.tokens(); from += kTokensAtATime) {
      const int64_t end = std::min(from + kTokensAtATime, mask_.tokens());
      if (!find_pieces(from, end, cursors, pieces)) return false;
      if (!find_pieces(from, end, part_cursors_, parts)) return false;
      for (int64_t token = from; token < end; ++token) {
        if (const Piece piece = pieces[token - from]; piece.index >= 0) {
          if (token < used) return false;
          used = token + piece.tokens;
          enter_document_of(token);
          if (!add_chunk(piece)) return false;
        }
        if (const Piece part = parts[token - from]; part.index >= 0) {
          const int32_t member = member_of_part_[part.index - std::ssize(cut_.members_)];
          add_size(part, sizes_[member].last);
        }
      }
    }
    end_document();
    return true;
  }

  bool find_pieces(int64_t from, int64_t end, std::vector<Cursor>& cursors,
                   std::vector<Piece>& pieces) {
    pieces.assign(end - from, {});
    for (Cursor& cursor : cursors) {
      while (!cursor.left.empty()) {
        const Range range = cursor.left.front();
        const int64_t begin = std::max(range.begin, cursor.begin);
        if (begin >= end) break;
        advance(cursor.document, begin);
        cursor.begin = std::min(range.end, mask_.document(cursor.document).end);
        if (pieces[begin - from].index >= 0) return false;
        pieces[begin - from] = {cursor.index, static_cast<int32_t>(cursor.begin - begin)};
        if (cursor.begin == range.end) cursor.left = cursor.left.subspan(1);
      }
    }
    return true;
  }

  // Usually the next document or one of the next; otherwise it is looked up.
  void advance(int32_t& document, int64_t token) const {
    for (int tries = 0; tries < 4 && mask_.document(document).end <= token; ++tries) ++document;
    if (mask_.document(document).end <= token) document = mask_.document_of(token);
  }

  void enter_document_of(int64_t token) {
    if (mask_.document(document_).end > token) return;
    end_document();
    advance(document_, token);
  }

  // It is the first chunk of its member that comes after the last chunk.
  bool add_chunk(const Piece& piece) {
    const std::vector<int32_t>& chunks = cut_.all_[piece.index].chunks;
    const auto next = std::ranges::upper_bound(chunks, last_chunk_);
    if (next == chunks.end()) return false;
    last_chunk_ = *next;
    add_size(piece, next - chunks.begin());
    return true;
  }

  void add_size(const Piece& piece, ptrdiff_t chunk) {
    Sizes& sizes = sizes_[piece.index];
    if (sizes.document != document_) {
      sizes = {document_, 0, {}};
      in_document_.push_back(piece.index);
    }
    sizes.last = chunk;
    sizes.chunk[chunk] += piece.tokens;
  }

  void end_document() {
    for (int32_t index : in_document_) {
      Member& member = cut_.all_[index];
      const std::array<int32_t, kMostChunks>& size = sizes_[index].chunk;
      int32_t sum = 0;
      for (size_t c = member.chunks.size(); c-- > 0;) add_to(member.last[c], sum += size[c]);
      sum = 0;
      for (size_t c = 0; c + 1 < member.chunks.size(); ++c) add_to(member.first[c], sum += size[c]);
    }
    in_document_.clear();
    last_chunk_ = -1;
  }

  void add_to(Sum& sum, int32_t value) {
    if (value == 0) return;
    const int32_t document_class = class_of_[document_];
    const int64_t number = number_[document_];
    if (document_class < 0) {
      sum.single.resize(singles_);
      sum.single[number] = value;
      return;
    }
    const auto place = [](const Alike& alike) {
      return std::pair(alike.document_class, alike.value);
    };
    auto alike = std::ranges::lower_bound(sum.alike, std::pair(document_class, value), {}, place);
    if (alike == sum.alike.end() || place(*alike) != std::pair(document_class, value)) {
      alike = sum.alike.insert(
          alike, {document_class, value, std::vector<uint64_t>(class_words_[document_class])});
    }
    alike->documents[number / kBits] |= uint64_t{1} << (number % kBits);
  }

  static void add_values(Sum& sum) {
    for (const Alike& alike : sum.alike) {
      if (sum.values.empty() || sum.values.back().document_class != alike.document_class) {
        const auto first = static_cast<int32_t>(&alike - sum.alike.data());
        sum.values.push_back(
            {.document_class = alike.document_class, .first = first, .last = first});
      }
      Values& values = sum.values.back();
      const int64_t documents = common(alike.documents, alike.documents);
      ++values.last;
      values.largest = alike.value;
      values.documents += documents;
      values.tokens += alike.value * documents;
    }
  }

  const MaskIndex& mask_;
  const RangeSets& sets_;
  const std::vector<SetId>& parts_;
  DocumentCut& cut_;
  std::vector<int32_t> member_of_part_;
  std::vector<Cursor> part_cursors_;
  int32_t chunks_ = 0;
  std::vector<int32_t> class_of_;    // by document; -1 if few are like it
  std::vector<int32_t> number_;      // by document, within its class
  std::vector<size_t> class_words_;  // by class: of its bit masks
  int32_t singles_ = 0;              // documents without a class

  // Of the current document:
  struct Sizes {
    int32_t document = -1;
    ptrdiff_t last = 0;  // the last chunk
    std::array<int32_t, kMostChunks> chunk{};
  };
  int32_t document_ = 0;
  int32_t last_chunk_ = -1;
  std::vector<int32_t> in_document_;  // its members and parts
  std::vector<Sizes> sizes_;          // by index
};

std::optional<DocumentCut> DocumentCut::of(const MaskIndex& mask, const RangeSets& sets,
                                           std::vector<SetId> members,
                                           const std::vector<SetId>& parts,
                                           int32_t fewest_documents) {
  const std::optional<Mask> rule = mask.only_rule();
  const bool full = rule == Mask::document_full;
  if (!full && rule != Mask::document_causal && rule != Mask::causal) return std::nullopt;
  if (size_of(mask.new_tokens()) != mask.tokens()) return std::nullopt;
  DocumentCut cut;
  cut.full_ = full;
  cut.members_ = std::move(members);
  cut.index_.assign(sets.count(), -1);
  for (size_t m = 0; m < cut.members_.size(); ++m) {
    cut.index_[cut.members_[m]] = static_cast<int32_t>(m);
  }
  cut.container_ = containers(sets, cut.members_);
  cut.stripes_ = StripeCut::of(mask, sets, cut.members_, full);
  if (cut.stripes_) return cut;
  if (rule == Mask::causal || mask.documents() < fewest_documents) return std::nullopt;
  if (!Builder(mask, sets, parts, cut).build()) return std::nullopt;
  return cut;
}

std::optional<DocumentCut::Sums> DocumentCut::sums_of(int32_t queries, int32_t keys) const {
  const Member &q = all_[queries], &k = all_[keys];
  if (queries == keys) return Sums{&q.last[0], &q.last[0]};
  const size_t all = k.chunks.size();
  size_t seen = all;  // chunks of the keys
  size_t seeing = 0;  // the first chunk of the queries that sees them
  if (!full_) {
    const auto before = [&](int32_t chunk) {
      return static_cast<size_t>(std::ranges::lower_bound(k.chunks, chunk) - k.chunks.begin());
    };
    seen = before(q.chunks.back());
    if (seen == 0) return Sums{&kNothing, &kNothing};
    while (before(q.chunks[seeing]) == 0) ++seeing;
    if (before(q.chunks[seeing]) != seen) return std::nullopt;
  }
  return Sums{&q.last[seeing], seen == all ? &k.last[0] : &k.first[seen - 1]};
}

}  // namespace cpbench
