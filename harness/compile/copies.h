// Where the copies (q, kv, do) of one rank are: in its home buffers and in messages that arrived.
#pragma once

#include <array>
#include <unordered_map>
#include <vector>

#include "harness/compile/rank_builder.h"

namespace cpbench {

class Copies {
 public:
  explicit Copies(RankBuilder& builder) : builder_(builder) {}

  // Later look-ups find the newest buffer first: a tensor that was dropped may arrive again.
  void add(int32_t buffer);
  // The one buffer of the tensor that holds all of these tokens and heads, or -1.
  int32_t holder(Tensor tensor, SetId tokens, Heads heads);
  // Copies the tokens and heads into `target` from wherever they are.
  void gather(int32_t target, SetId tokens, Heads heads);

 private:
  bool gather_disjoint(int32_t target, SetId tokens, Heads heads);
  void gather_newest(int32_t target, Ranges tokens, Heads heads);

  bool holds(int32_t buffer, SetId tokens, Heads heads);

  static constexpr int32_t kNone = -1;
  std::array<std::vector<int32_t>, kTensors> buffers_;  // oldest first
  // The newest buffer of each home that has its tokens, by rank + 1; 0: none is known. And for each
  // buffer the one before it of that home. Values are indices in buffers_.
  std::array<std::vector<int32_t>, kTensors> newest_of_home_, before_;
  std::array<std::unordered_map<SetId, int32_t>, kTensors> newest_of_set_;
  RankBuilder& builder_;
};

}  // namespace cpbench
