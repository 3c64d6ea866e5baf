// The partial results (o, dq, dkv, or gradients of latents) that one rank holds in one pass, and
// the rows that hold them.
//
// The home has one accumulator of all heads. Elsewhere an accumulator is made for the first write
// of its tokens, and dropped when its last row is sent. The class knows which rows hold something,
// so the first write of a row stores, later writes accumulate, and nothing is reset at run time.
//
// Heads are those of the tensor. The finest head ranges that the pass uses are called blocks here,
// and rows are followed per block.
#pragma once

#include <unordered_map>
#include <utility>
#include <vector>

#include "harness/compile/rank_builder.h"

namespace cpbench {

class Partials {
 public:
  // `used` must have every head range in which this tensor is written, sent or received on this
  // rank.
  Partials(RankBuilder& builder, Tensor tensor, int32_t home, std::vector<Heads> used);

  // Makes room for those of these tokens that have none.
  void reserve(SetId tokens, Heads heads);
  // The buffer of the one accumulator that has room for all of these tokens, or -1.
  int32_t holder(SetId tokens, Heads heads);
  bool any_written(SetId tokens, Heads heads);
  void mark_written(SetId tokens, Heads heads);
  // Clears the rows that hold nothing, so that all rows are written.
  void complete(SetId tokens, Heads heads);
  // Stores or accumulates the rows of `source`. There must be room for them.
  void add(int32_t source, SetId tokens, Heads heads);
  // Moves the rows into `target`, with zeros for those that hold nothing, or with mode accumulate
  // adds them to it; afterwards none of them holds anything. `owner` is the rank whose home has all
  // of the tokens, or -1.
  void take(int32_t target, SetId tokens, Heads heads, int32_t owner,
            RowMode mode = RowMode::store);

 private:
  // Usually nothing or all of an accumulator is written, and both cases are known without looking
  // at ranges. A reduce-scatter takes it apart into the homes of N ranks, which are disjoint, so
  // they are collected in `taken` and subtracted together.
  struct Written {
    bool whole = false;        // all tokens of the accumulator are written
    Ranges ranges;             // the written tokens if not whole, with those of `taken`
    int64_t tokens = 0;        // how many, with those of `taken`
    std::vector<SetId> taken;  // disjoint sets of ascending owners
    int64_t taken_tokens = 0;  // how many of their tokens were written
    int32_t last_owner = -1;
  };
  struct Accumulator {
    int32_t buffer;
    Heads heads;
    std::vector<Written> written;  // per block of the tensor
    int32_t number;                // in the order in which they were made
  };
  void add_accumulator(int32_t buffer, Heads heads);
  // Those that may have some of the tokens, oldest first; valid until the next call. A rank has
  // partial results of all other ranks, so accumulators of other homes must not be looked at.
  const std::vector<Accumulator*>& near(SetId tokens);
  RangeSpan written_of(const Accumulator& accumulator, size_t block) const;
  // Subtracts what is in `taken`.
  Written& settled(Accumulator& accumulator, size_t block);
  // `more` must lie within the accumulator's tokens, and none of it may be written.
  void write(Accumulator& accumulator, size_t block, SetId more);
  // Calls visit(accumulator, block, heads of the block) for those near the tokens.
  template <typename Visit>
  void each_block(SetId tokens, Heads heads, const Visit& visit);
  SetId tokens_of(const Accumulator& accumulator) const {
    return builder_.tokens_of(accumulator.buffer);
  }
  Heads component_of(Heads heads) const;
  // Drops accumulators of which all was taken: those of that home and of no known home; -1: all.
  void drop_taken(int32_t home);

  RankBuilder& builder_;
  Tensor tensor_;
  int32_t home_;
  std::vector<Heads> blocks_;      // ascending, disjoint
  std::vector<Heads> components_;  // unions of overlapping used ranges
  // By the home that has their tokens; -1: none is known.
  struct Home {
    std::vector<Accumulator> accumulators;
    std::vector<std::pair<SetId, Heads>> reserved;  // with their component; they have room
  };
  std::unordered_map<int32_t, Home> homes_;
  int32_t accumulators_ = 0;  // that were made
  std::vector<Accumulator*> near_;
};

}  // namespace cpbench
