// The partial results (o, dq or dkv) that one rank holds in one pass, and in which rows.
//
// At home an accumulator of all heads; elsewhere accumulators come with the first write of their
// tokens and go when their last row is sent. Which rows hold something is known here, so the first
// write of a row stores, later ones accumulate, and nothing is reset at run time.
// Heads are those of the tensor. The finest head ranges that the pass uses are `blocks` here; rows
// are followed per block.
#pragma once

#include <vector>

#include "harness/compile/rank_builder.h"

namespace cpbench {

class Partials {
 public:
  // `used`: every head range with which this tensor is written, sent or received on this rank.
  Partials(RankBuilder& builder, Tensor tensor, int32_t home, std::vector<Heads> used);

  // Makes room for these tokens where there is none.
  void reserve(SetId tokens, Heads heads);
  // The one accumulator that has room for all of them, or -1.
  int32_t holder(SetId tokens, Heads heads) const;
  bool any_written(SetId tokens, Heads heads);
  void mark_written(SetId tokens, Heads heads);
  // Clears the rows that hold nothing; all are written then.
  void complete(SetId tokens, Heads heads);
  // Stores or accumulates the rows of `source`; room must be there.
  void add(int32_t source, SetId tokens, Heads heads);
  // Moves what is held into `target`, zeros for the rest; the rows hold nothing then. `owner`:
  // the rank at whose home all the tokens are, or -1.
  void take(int32_t target, SetId tokens, Heads heads, int32_t owner);

 private:
  // Usually nothing or all of an accumulator is written: both are known without looking at ranges.
  // A reduce-scatter takes it apart in the homes of N ranks, which are disjoint; they are taken out
  // at once.
  struct Written {
    bool whole = false;        // all of the accumulator's tokens
    Ranges ranges;             // if not whole; with what is in `taken`
    int64_t tokens = 0;        // so many, with what is in `taken`
    std::vector<SetId> taken;  // disjoint, of ascending owners
    int64_t taken_tokens = 0;  // of those, so many were written
    int32_t last_owner = -1;
  };
  struct Accumulator {
    int32_t buffer;
    Heads heads;
    std::vector<Written> written;  // per block of the tensor
  };
  RangeSpan written_of(const Accumulator& accumulator, size_t block) const;
  // Nothing is in `taken` then.
  Written& settled(Accumulator& accumulator, size_t block);
  // `more`: within the accumulator's tokens, none of them written.
  void write(Accumulator& accumulator, size_t block, RangeSpan more);
  // visit(accumulator, block, heads of the block)
  template <typename Accumulators, typename Visit>
  void each_block(Accumulators& accumulators, Heads heads, const Visit& visit) const;
  SetId tokens_of(const Accumulator& accumulator) const {
    return builder_.tokens_of(accumulator.buffer);
  }
  Heads component_of(Heads heads) const;

  RankBuilder& builder_;
  Tensor tensor_;
  int32_t home_;
  std::vector<Heads> blocks_;      // ascending, disjoint
  std::vector<Heads> components_;  // unions of overlapping used ranges
  std::vector<Accumulator> accumulators_;
};

}  // namespace cpbench
