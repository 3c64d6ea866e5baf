#include "harness/strategy/sharding.h"

#include <algorithm>

namespace cpbench {
namespace {

// The begin of part `index` if `total` is cut into `parts`, the first of which are one longer.
int64_t even_begin(int64_t total, int64_t parts, int64_t index) {
  return index * (total / parts) + std::min(index, total % parts);
}

int32_t zigzag_owner(int64_t chunk, int32_t ranks) {
  return static_cast<int32_t>(chunk < ranks ? chunk : 2 * ranks - 1 - chunk);
}

// Cuts one run of tokens after another into equal chunks and gives them to the ranks; see
// per_document_shards.
class ChunkDealer {
 public:
  ChunkDealer(int32_t ranks, int32_t chunks_per_rank)
      : ranks_(ranks), zigzag_(chunks_per_rank == 2), chunks_(int64_t{ranks} * chunks_per_rank) {}

  void deal(int64_t token, int64_t length, std::vector<Ranges>& shards) {
    int64_t base = length / chunks_;
    int64_t remainder = length % chunks_;
    // Only the chunks that get a remainder token have any token of a run that is shorter than the
    // number of chunks. Only these are visited, in token order, so that many short documents over
    // many ranks take linear time.
    auto give = [&](int64_t chunk, int64_t size) {
      int32_t rank = zigzag_ ? zigzag_owner(chunk, ranks_) : static_cast<int32_t>(chunk);
      extend(shards[rank], {token, token + size});
      token += size;
    };
    int64_t wrapped = std::max<int64_t>(0, next_ + remainder - chunks_);  // chunks [0, wrapped)
    int64_t straight_end = std::min(chunks_, next_ + remainder);          // chunks [next_, ...)
    if (base == 0) {
      for (int64_t c = 0; c < wrapped; ++c) give(c, 1);
      for (int64_t c = next_; c < straight_end; ++c) give(c, 1);
    } else {
      for (int64_t c = 0; c < chunks_; ++c) {
        bool extra = c < wrapped || (next_ <= c && c < straight_end);
        give(c, base + extra);
      }
    }
    next_ = (next_ + remainder) % chunks_;
  }

 private:
  int32_t ranks_;
  bool zigzag_;
  int64_t chunks_;
  int64_t next_ = 0;  // the chunk that gets the next remainder token
};

}  // namespace

std::vector<Ranges> contiguous_shards(int64_t tokens, int32_t ranks) {
  std::vector<Ranges> shards(ranks);
  for (int32_t r = 0; r < ranks; ++r) {
    extend(shards[r], {even_begin(tokens, ranks, r), even_begin(tokens, ranks, r + 1)});
  }
  return shards;
}

std::vector<Ranges> head_tail_shards(int64_t tokens, int32_t ranks) {
  std::vector<Ranges> shards(ranks);
  int64_t chunks = 2 * int64_t{ranks};
  for (int64_t c = 0; c < chunks; ++c) {
    extend(shards[zigzag_owner(c, ranks)],
           {even_begin(tokens, chunks, c), even_begin(tokens, chunks, c + 1)});
  }
  return shards;
}

std::vector<Ranges> per_document_shards(const Batch& batch, int32_t ranks,
                                        int32_t chunks_per_rank) {
  std::vector<Ranges> shards(ranks);
  ChunkDealer dealer(ranks, chunks_per_rank);
  int64_t token = 0;
  for (int64_t length : batch.document_lengths) {
    dealer.deal(token, length, shards);
    token += length;
  }
  return shards;
}

std::vector<Ranges> new_and_cached_shards(const Batch& batch, int32_t ranks) {
  std::vector<Ranges> shards(ranks);
  ChunkDealer dealer_of_cached(ranks, 1), dealer_of_new(ranks, 2);
  int64_t token = 0;
  for (size_t d = 0; d < batch.document_lengths.size(); ++d) {
    int64_t length = batch.document_lengths[d];
    int64_t cached = batch.cached_tokens.empty() ? 0 : batch.cached_tokens[d];
    dealer_of_cached.deal(token, cached, shards);
    dealer_of_new.deal(token + cached, length - cached, shards);
    token += length;
  }
  return shards;
}

}  // namespace cpbench
